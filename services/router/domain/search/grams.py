"""The numbers that the search index stores for the terms of a case's texts."""

from collections.abc import Iterable
from zlib import crc32

from services.router.domain.search.query import terms
from services.router.domain.search.texts import SearchableTexts

STAFF = "*"
"""The audience of users without a department, who find every text. The audience of a department is its code."""
GRAMS_MAX = 100_000
"""The most numbers of a case that are indexed. Written in full, 20 contributions have some 40,000 terms."""


def approvers(department: str) -> str:
    """The audience of a department's approvers: what they find beside the texts of their department."""
    return f"{department}*"


def gram(audience: str, term: str) -> int:
    """A term as the index has it, 31 bits. Different terms may have the same number, so what it finds is compared."""
    return crc32(f"{audience}\n{term}".encode()) >> 1


def grams_of(texts: SearchableTexts) -> frozenset[int]:
    """The numbers of all terms of a case, for each audience that may find them."""
    found = dict.fromkeys(gram(STAFF, one) for one in sorted(_terms(texts.all)))
    shared = _terms(texts.shared)
    pending = _terms([texts.pending] if texts.pending else [])
    for department in texts.departments:
        own = shared | _terms(texts.own.get(department, ()))
        if department == texts.case.lead:
            own |= pending
        found.update(dict.fromkeys(gram(department, one) for one in sorted(own)))
        found.update(dict.fromkeys(gram(approvers(department), one) for one in sorted(pending - own)))
    return frozenset(list(found)[:GRAMS_MAX])


def _terms(texts: Iterable[str]) -> set[str]:
    return set().union(*map(terms, texts))
