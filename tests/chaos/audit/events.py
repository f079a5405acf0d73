"""Events: numbered from 1 without gaps for each inquiry, with unique ids, and each once at the scorer."""

from collections import Counter, defaultdict

from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings


def check_events(case: Case, findings: Findings) -> None:
    """Numbers without gaps or duplicates, in order on the topic."""
    ids: dict[int, set[str]] = defaultdict(set)
    for event in case.events:
        ids[int(event.headers.get("ce_sequence", 0))].add(event.id)
    if missing := sorted(set(range(1, max(ids, default=0) + 1)) - ids.keys()):
        findings.lost(case.inquiry_id, f"the events {missing} are missing")
    for sequence, found in ids.items():
        if len(found) > 1:
            findings.double(case.inquiry_id, f"the event {sequence} has {len(found)} ids: {', '.join(sorted(found))}")
    order = [int(event.headers.get("ce_sequence", 0)) for event in case.events]
    if order != sorted(order):
        findings.wrong(case.inquiry_id, f"its events lie in the order {order}")


def check_scored(case: Case, findings: Findings) -> None:
    """The scorer has each event once, with its number and its type."""
    there = Counter(str(one["_id"]) for one in case.scored)
    wanted = {event.id: event for event in case.events}
    for id_ in wanted.keys() - there.keys():
        findings.lost(case.inquiry_id, f"the scorer does not have the event {id_} ({wanted[id_].kind})")
    for id_, times in there.items():
        if times > 1:
            findings.double(case.inquiry_id, f"the scorer has the event {id_} {times} times")
        if id_ not in wanted:
            findings.double(case.inquiry_id, f"the scorer has an event {id_} that is not on the record")
    for one in case.scored:
        event = wanted.get(str(one["_id"]))
        if event and (str(one["sequence"]), one["type"]) != (event.headers["ce_sequence"], event.kind):
            findings.wrong(case.inquiry_id, f"the scorer keeps the event {event.id} as {one['type']} {one['sequence']}")
