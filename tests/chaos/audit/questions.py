"""Questions and additions: each reached everybody once, and every pause has ended when the inquiry is answered."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.audit.capture import Record
from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings


def check_questions(case: Case, findings: Findings) -> None:
    _check_additions(case, findings)
    _check_pauses(case, findings)


def _check_additions(case: Case, findings: Findings) -> None:
    """Each accepted addition is an event, and in the inbox of each department that had a part at that time once."""
    given = [one for one in case.inputs if one.kind == "inquiry.added"]
    refused = {one.cause for one in case.decisions if one.refusal}
    decided = [one for one in given if one.id not in refused]
    events = case.events_of("inquiry.added")
    if len(events) != len(decided):
        kind = findings.lost if len(events) < len(decided) else findings.double
        kind(case.inquiry_id, f"residents added {len(decided)} times, {len(events)} times on the record")
    wanted = Counter(
        (f"departments.{code}.inbox", text) for text, event in _with_texts(case) for code in _departments(event)
    )
    there = Counter((one.topic, str(one.data.get("text"))) for one in case.inbox if one.kind == "part.added")
    for topic, text in (wanted - there).elements():
        findings.lost(case.inquiry_id, f"the addition {text[:40]!r} is not in {topic}")
    for topic, text in (there - wanted).elements():
        findings.double(case.inquiry_id, f"the addition {text[:40]!r} is in {topic} again, or is not for it")


def _with_texts(case: Case) -> Iterator[tuple[str, Record]]:
    """Each event of an addition, with the text of its input."""
    texts = {one.id: str(one.data.get("text")) for one in case.inputs}
    events = {int(one.headers.get("ce_sequence", 0)): one for one in case.events}
    for decision in case.decisions:
        for fact in decision.facts_read:
            if fact.get("type") == "chorus.inquiry.added" and (event := events.get(fact["sequence"])) is not None:
                yield texts.get(decision.cause, ""), event


def _departments(event: Record) -> list[str]:
    departments: list[str] = event.data.get("departments", [])
    return departments


def _check_pauses(case: Case, findings: Findings) -> None:
    """A question pauses its part once, and its answer resumes it once, before the part is contributed."""
    waiting: set[str] = set()
    for event in sorted(case.events, key=lambda one: int(one.headers.get("ce_sequence", 0))):
        if event.kind == "inquiry.paused":
            for part in event.data["parts"]:
                if part["part_id"] in waiting:
                    findings.double(case.inquiry_id, f"the part {part['part_id']} pauses while it pauses")
                waiting.add(part["part_id"])
        elif event.kind == "inquiry.resumed":
            for part in event.data["parts"]:
                if part["part_id"] not in waiting:
                    findings.double(case.inquiry_id, f"the part {part['part_id']} resumes without a pause")
                waiting.discard(part["part_id"])
        elif event.kind == "part.contributed" and event.data["part_id"] in waiting:
            findings.wrong(
                case.inquiry_id, f"the part {event.data['part_id']} is contributed before its question is answered"
            )
            waiting.discard(event.data["part_id"])
    for part_id in sorted(waiting):
        findings.lost(case.inquiry_id, f"the part {part_id} still pauses")
