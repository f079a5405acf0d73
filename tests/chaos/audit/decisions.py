"""Every input has one decision, and every message of a decision is on its topic once."""

from collections import Counter

from tests.chaos.audit.capture import EVENTS, PREFIX, RESIDENTS, Capture, Record
from tests.chaos.audit.cases import Case
from tests.chaos.audit.completion import completed
from tests.chaos.audit.findings import Findings


def check_accepted(capture: Capture, cases: dict[str, Case], findings: Findings) -> None:
    """Every message accepted with 202 is in the ledger, on the log, and decided first; each has one number."""
    numbers: dict[str, set[str]] = {one.mark: set(one.inquiry_ids) for one in capture.accepted}
    for case in cases.values():
        for received in (one for one in case.inputs if one.kind == "inquiry.received"):
            body = str(received.data.get("body", ""))
            if (mark := body.rpartition("(chaos ")[2].rstrip(")")) in numbers:
                numbers[mark].add(case.inquiry_id)
    for mark, found in numbers.items():
        if len(found) > 1:
            findings.double(min(found), f"the message {mark} has {len(found)} numbers: {', '.join(sorted(found))}")
    for accepted in capture.accepted:
        for inquiry_id in accepted.inquiry_ids:
            _accepted(inquiry_id, capture, cases[inquiry_id], findings)
    for id_, inquiry_id in capture.promised.items():
        if id_ not in capture.ledger:
            findings.lost(inquiry_id, f"{id_} was answered 202 and is not in the ledger")
    on_the_log = {one.id for case in cases.values() for one in case.inputs}
    for id_, inquiry_id in capture.ledger.items():
        if id_ not in on_the_log:
            findings.lost(inquiry_id, f"the ledger's entry {id_} is not on the log")
    for inquiry_id in capture.unpublished:
        findings.lost(inquiry_id, "a ledger's note still says that something of it is not on Kafka")


def _accepted(inquiry_id: str, capture: Capture, case: Case, findings: Findings) -> None:
    if inquiry_id not in capture.ledger.values():
        findings.lost(inquiry_id, "it was accepted and is not in the ledger")
    received = [one for one in case.inputs if one.kind == "inquiry.received"]
    if not received:
        findings.lost(inquiry_id, "it was accepted and is not on the log")
    elif len(received) > 1:
        findings.double(inquiry_id, f"it was received under {len(received)} ids")
    first = [one for one in case.decisions if one.n == 1]
    if not first:
        findings.lost(inquiry_id, "it was accepted and has no first decision")
    elif len(first) > 1:
        findings.double(inquiry_id, f"it has {len(first)} first decisions")
    elif received and first[0].cause != received[0].id:
        findings.wrong(inquiry_id, f"its first decision answers {first[0].cause}, not its receipt")


def check_decisions(case: Case, findings: Findings) -> None:
    """Numbers are dense, causes unique; inputs and causes are the same set."""
    numbers = sorted(one.n for one in case.decisions)
    if numbers != list(range(1, len(numbers) + 1)):
        findings.lost(case.inquiry_id, f"its decisions are numbered {numbers}")
    causes = Counter(one.cause for one in case.decisions)
    for cause, times in causes.items():
        if times > 1:
            findings.double(case.inquiry_id, f"the input {cause} was decided {times} times")
    inputs = {one.id for one in case.inputs}
    for id_ in inputs - causes.keys():
        findings.lost(case.inquiry_id, f"the input {id_} has no decision")
    for id_ in causes.keys() - inputs:
        findings.lost(case.inquiry_id, f"the decided input {id_} is not on the log")
    spoken = [one for one in case.inputs if one.kind.startswith("part.")]
    if len(spoken) < len(case.outbox):
        findings.lost(case.inquiry_id, f"departments wrote {len(case.outbox)} messages, {len(spoken)} came through")
    if len(spoken) > len(case.outbox):
        findings.double(case.inquiry_id, f"departments wrote {len(case.outbox)} messages, {len(spoken)} came through")
    for one in case.decisions:
        if one.refusal:
            reason = one.words.get("refusal/reason", one.refusal)
            findings.wrong(case.inquiry_id, f"a {one.type} was refused: {reason}")


def check_causes(case: Case, findings: Findings) -> None:
    """A decision has offset, sender, salt and time of the first copy of its input."""
    inputs = {one.id: one for one in case.inputs}
    for one in case.decisions:
        if (cause := inputs.get(one.cause)) is None:
            continue
        there = (cause.partition, cause.offset)
        if one.at != there:
            findings.wrong(case.inquiry_id, f"the decision {one.n} says that its input lies at {one.at}, not {there}")
        for name, said in (("ce_actor", one.actor), ("ce_salt", one.salt), ("ce_recordedtime", one.decided_at)):
            if said != cause.headers.get(name):
                findings.wrong(case.inquiry_id, f"the decision {one.n} does not have the {name} of its input")


def check_promised(case: Case, findings: Findings) -> None:
    """The messages of the decisions, including events, equal those on the topics, byte for byte."""
    promised = {(one.topic, one.id): one for one in completed(case.decisions)}
    there: dict[tuple[str, str], Record] = {(one.topic, one.id): one for one in (*case.events, *case.told, *case.inbox)}
    for (topic, id_), message in promised.items():
        kind = message.type.removeprefix(PREFIX)
        if (record := there.get((topic, id_))) is None:
            findings.lost(case.inquiry_id, f"{kind} {id_} was decided and is not in {topic}")
        elif record.value != message.value:
            findings.wrong(case.inquiry_id, f"{kind} {id_} in {topic} is not what was decided")
        elif other := [name for name, text in message.headers.items() if record.headers.get(name) != text]:
            findings.wrong(case.inquiry_id, f"{kind} {id_} in {topic} has another {', '.join(other)} than was decided")
    for topic, id_ in there.keys() - promised.keys():
        if there[topic, id_].kind == "message.refused":
            findings.wrong(
                case.inquiry_id, f"a department was refused at the gate: {there[topic, id_].data.get('reason')}"
            )
            continue
        kind = "event" if topic == EVENTS else "word to the resident" if topic == RESIDENTS else "message"
        findings.double(case.inquiry_id, f"the {kind} {id_} in {topic} belongs to no decision")
