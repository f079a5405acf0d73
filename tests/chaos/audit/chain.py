"""The hash chain: each fact has the SHA-256 of its predecessor, in the store and on the topic."""

from collections import defaultdict
from hashlib import sha256

from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings


def check_chain(case: Case, findings: Findings) -> None:
    """Across all decisions: facts are numbered without gaps, each with the hash of its predecessor."""
    head, number, n = "", 0, 0
    for one in sorted(case.decisions, key=lambda one: one.n):
        facts = one.facts_read
        if one.n > n + 1 and facts:  # an earlier decision is missing, which another check reports
            head, number = facts[0].get("prev") or "", facts[0].get("sequence", 1) - 1
        elif one.n > n + 1:
            head = one.head
        n = one.n
        for value, fact in zip(one.facts, facts, strict=True):
            number += 1
            if fact.get("sequence") != number:
                findings.wrong(case.inquiry_id, f"the fact {number} has the sequence {fact.get('sequence')}")
            if (fact.get("prev") or "") != head:
                findings.wrong(case.inquiry_id, f"the prev of the fact {number} is not the hash of the one before")
            head = sha256(value.encode()).hexdigest()
        if one.head != head:
            findings.wrong(case.inquiry_id, f"the head of the decision {n} is not the hash of the event {number}")


def check_record(case: Case, findings: Findings) -> None:
    """On the topic: headers equal the values, each event has the hash of its predecessor, the last hash is the head."""
    hashes: dict[int, set[str]] = defaultdict(set)
    for event in case.events:
        headers = event.headers
        hashes[int(headers.get("ce_sequence", 0))].add(sha256(event.value).hexdigest())
        said = {name: str(event.data.get(name)) for name in ("type", "sequence", "at")}
        for name, header in (("type", "ce_type"), ("sequence", "ce_sequence"), ("at", "ce_time")):
            if said[name] != headers.get(header):
                findings.wrong(case.inquiry_id, f"the event {event.id} has the {name} {said[name]!r}, not its {header}")
        if said["at"] != headers.get("ce_recordedtime"):
            findings.wrong(case.inquiry_id, f"the event {event.id} has the at {said['at']!r}, not its ce_recordedtime")
    for event in case.events:
        before = hashes.get(int(event.headers.get("ce_sequence", 0)) - 1)
        prev = event.data.get("prev")
        if (event.headers.get("ce_sequence") == "1" and prev is not None) or (before and prev not in before):
            findings.wrong(case.inquiry_id, f"the prev of the event {event.id} is not the hash of the one before")
    last = max(case.decisions, key=lambda one: one.n, default=None)
    if last is not None and hashes and last.head not in hashes[max(hashes)]:
        findings.wrong(case.inquiry_id, f"its last event {max(hashes)} is not the one that its last decision names")
