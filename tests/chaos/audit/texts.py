"""Texts: none in events, and each committed text is in the words, unchanged."""

import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any

from tests.chaos.audit.cases import Case
from tests.chaos.audit.completion import tell
from tests.chaos.audit.findings import Findings

CODE = r"[a-z][a-z0-9-]*"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
TICKET = r"\d{8}-[0-9A-Z]{8}"
FORMS: Mapping[str, str] = {
    **dict.fromkeys(("kind", "role", "channel", "language", "state", "reason", "satisfied"), CODE),
    **dict.fromkeys(("lead", "co_handlers", "named", "department", "departments", "suggest", "order", "to"), CODE),
    **dict.fromkeys(("rule", "policy_id"), CODE),
    **dict.fromkeys(("at", "received_at", "accept", "first_reply", "resolve"), TIME),
    **dict.fromkeys(("due_at", "until", "return_until", "remind_at", "close_at"), TIME),
    "provisional": "accept|first_reply|resolve",
    "clock": "accept|first_reply|resolve|new|continue|restart",
    "publication": "automatic",
    "removed": "opening|closing",
    **dict.fromkeys(("prev", "sha256"), "[0-9a-f]{64}"),
    "type": rf"chorus\.{CODE}\.{CODE}",
    **dict.fromkeys(("inquiry_id", "linked_to"), TICKET),
    "reply_id": rf"{TICKET}-r\d+(-a\d+)?",
    **dict.fromkeys(("part_id", "parts", "parent"), rf"{TICKET}-p\d+"),
}
"""The allowed text of each field of an event; other fields may contain none. Areas come from the city's directory."""
PART_STATES = ("offered", "accepted", "contributed", "returned", "withdrawn")


def check_wordless(case: Case, areas: Collection[str], findings: Findings) -> None:
    """Every text in an event is an id, a code, a time or a hash."""
    for event in case.events:
        for field, text in forbidden_texts(event.data, areas):
            findings.wrong(case.inquiry_id, f"the event {event.id} has free text in {field}: {text[:60]!r}")
        if unknown := set(event.data.get("part_states", ())) - set(PART_STATES):
            findings.wrong(case.inquiry_id, f"the event {event.id} knows the part states {sorted(unknown)}")


def forbidden_texts(event: Mapping[str, Any], areas: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each text of an event that is not of the form of its field, with the field."""
    for field, text in _texts(event):
        held = text in areas if field == "area" else field in FORMS and re.fullmatch(FORMS[field], text)
        if not held:
            yield field, text


def check_texts(case: Case, findings: Findings) -> None:
    """With the salt, each text verifies against its commitment."""
    for told in tell(case.decisions):
        one = told.decision
        for index, fact in enumerate(one.facts_read):
            for field, promise in _commitments(fact):
                place = f"{index}/{field}"
                text = told.texts.get(f"{one.n}/{place}")
                if text is None:
                    findings.lost(case.inquiry_id, f"the text {one.n}/{place}, which a fact commits to, is not there")
                elif promise != commitment(one.salt, place, text):
                    findings.wrong(case.inquiry_id, f"the text {one.n}/{place} is not the one that a fact commits to")
            whole = told.texts.get(f"{one.n}/{index}/text", "")
            plain = one.words.get(f"{index}/sha256")
            if plain is not None and plain != sha256(whole.encode()).hexdigest():
                findings.wrong(case.inquiry_id, f"the joint reply {one.n}/{index} is not the one that was composed")


def commitment(salt: str, place: str, text: str) -> str:
    """SHA-256 of HMAC-SHA256(the input's salt, the field) followed by the text."""
    return sha256(hmac.digest(bytes.fromhex(salt), place.encode(), "sha256") + text.encode()).hexdigest()


def _texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, with its field."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, field)


def _commitments(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every commitment in a fact, with its path."""
    if isinstance(value, Mapping) and value.keys() == {"sha256"}:
        yield path, value["sha256"]
        return
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield from _commitments(one, f"{path}/{name}" if path else str(name))
