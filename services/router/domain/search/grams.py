"""The numbers that the search index stores for the terms of a case's texts."""

from collections.abc import Iterable
from zlib import crc32

from services.router.domain.search.query import terms
from services.router.domain.search.texts import SearchableTexts

SHARED = ""
STAFF = "*"
"""Audiences of a term: every department of the case with SHARED, one department with its code, and STAFF for users without
a department and for approvers."""
GRAMS_MAX = 50_000
"""The most terms of a case that are indexed. Written in full, 20 contributions have some 40,000."""


def gram(audience: str, term: str) -> int:
    """A term as the index has it, 31 bits. Different terms may have the same number, so what it finds is compared."""
    return crc32(f"{audience}\n{term}".encode()) >> 1


def grams_of(texts: SearchableTexts) -> frozenset[int]:
    """The numbers of all terms of a case, each for the audience that may find it."""
    found: dict[int, None] = {}
    shared = _terms(texts.shared)
    found.update(dict.fromkeys(gram(SHARED, one) for one in shared))
    own = {department: set(some) for department, some in texts.own.items()}
    if texts.pending is not None and texts.case.lead is not None:
        own.setdefault(texts.case.lead, set()).add(texts.pending)
    for department, some in own.items():
        for one in sorted(_terms(some) - shared):
            found.update(dict.fromkeys((gram(STAFF, one), gram(department, one))))
    if texts.pending is not None and texts.case.lead is None:
        found.update(dict.fromkeys(gram(STAFF, one) for one in sorted(_terms([texts.pending]) - shared)))
    return frozenset(list(found)[:GRAMS_MAX])


def _terms(texts: Iterable[str]) -> set[str]:
    return set().union(*map(terms, texts))
