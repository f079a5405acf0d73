"""Recognises a likely resubmission: an earlier inquiry with the same contact, or with a very similar text.

Pure: the desk asks when somebody looks at a case, and a person decides whether to link the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from services.router.domain.case import Inquiry
from services.router.domain.terms import normalised
from shared.contracts.fields import Contact

WITHIN = timedelta(days=30)
"""How long before an inquiry an earlier one may be received."""
SIMILAR = 0.6
"""The share of common pairs of characters from which two texts are very similar."""
PAIRS_MIN = 8
"""A text with fewer pairs of characters says too little to be compared."""
COMPARED_CHARACTERS = 2_000
"""How much of subject and body is compared; what follows rarely decides, and the desk compares a thousand inquiries."""
Sign = Literal["same-phone", "same-email", "same-text", "similar-text"]


class EarlierInquiry(NamedTuple):
    """An earlier inquiry with what the router knows of it."""

    inquiry_id: str
    inquiry: Inquiry


class Resubmission(NamedTuple):
    """An earlier inquiry that may be about the same matter, and why."""

    inquiry_id: str
    signs: tuple[Sign, ...]


def likely_resubmissions(
    inquiry: Inquiry, earlier: Iterable[EarlierInquiry], within: timedelta = WITHIN
) -> list[Resubmission]:
    """Those of the earlier inquiries that `inquiry` may repeat, the one with the most signs first, then the newest."""
    received_at, pairs = datetime.fromisoformat(inquiry.received_at), pairs_of(inquiry)
    found: list[tuple[int, str, Resubmission]] = []
    for one in earlier:
        age = received_at - datetime.fromisoformat(one.inquiry.received_at)
        if not timedelta(0) <= age <= within:
            continue
        if signs := tuple(_signs(inquiry, pairs, one.inquiry)):
            found.append((len(signs), one.inquiry.received_at, Resubmission(one.inquiry_id, signs)))
    return [one for _, _, one in sorted(found, reverse=True)]


def _signs(inquiry: Inquiry, pairs: frozenset[str], earlier: Inquiry) -> Iterator[Sign]:
    ours, theirs = inquiry.contact or Contact(), earlier.contact or Contact()
    if ours.phone and theirs.phone and _digits(ours.phone) == _digits(theirs.phone):
        yield "same-phone"
    if ours.email and theirs.email and ours.email.casefold() == theirs.email.casefold():
        yield "same-email"
    others = pairs_of(earlier)
    if not pairs or not others:
        return
    if pairs == others:
        yield "same-text"
    elif min(len(pairs), len(others)) >= PAIRS_MIN and len(pairs & others) / len(pairs | others) >= SIMILAR:
        yield "similar-text"


def pairs_of(inquiry: Inquiry) -> frozenset[str]:
    """The pairs of neighbouring letters and digits in subject and body, whatever their width, case and punctuation."""
    text = f"{inquiry.subject.text}{inquiry.body.text}"[:COMPARED_CHARACTERS]
    kept = "".join(filter(str.isalnum, normalised(text)))
    return frozenset(kept[at : at + 2] for at in range(len(kept) - 1))


def _digits(phone: str) -> str:
    return "".join(one for one in phone if one.isdigit())
