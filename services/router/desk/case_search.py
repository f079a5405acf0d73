"""Searches the texts of cases: looks up candidates in the index, newest first, and compares each with the query.

The work for one page is limited, however common the words are: the page then ends early, and `next` continues.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from services.router.desk.department_view import has_part, sees_waiting
from services.router.domain.search.grams import STAFF, approvers, gram
from services.router.domain.search.query import SearchQuery
from services.router.domain.search.texts import SearchableTexts, searchable
from services.router.domain.staff import StaffUser
from services.router.stores.case_rows import ROWS_PER_QUERY
from services.router.stores.store import RouterStore
from shared.store.mongo import Document

WINDOW = 1_000
"""The most entries of the index that one lookup of a term reads."""
ENTRIES_MAX = 1_500
"""When a page has read so many entries of the index, it ends."""
FIRST_STRETCH = 128
"""The first lookups are for about so many of the newest cases, the next for twice as many, and so on: a store that reads
and sorts what it finds then does little for a common word, and a rare word needs few lookups."""
EXAMINED_MAX = 100
"""The most cases whose texts are compared for one page."""
FEWEST = 5
"""How many more candidates than missing rows are compared at once."""
FEW = 10
"""With so few candidates, the other terms of the query are not looked up."""


class Candidates(NamedTuple):
    """The places of the newest cases with a term, down to the place `end`; to the end of the list if it is empty.

    `read` counts the entries of the index.
    """

    places: Sequence[str]
    end: str
    read: int


@dataclass
class SearchPage:
    """Rows that match, and the inquiry after which the next page continues; None at the end of the list."""

    rows: list[Document] = field(default_factory=list)
    next: str | None = None


@dataclass
class CaseSearch:
    store: RouterStore

    async def page(
        self, words: SearchQuery, query: Document, before: str | None, limit: int, who: StaffUser
    ) -> SearchPage:
        """The newest rows that meet `query`, whose texts this user may see and find with these words."""
        page, place, stretch, examined, read = SearchPage(), before, FIRST_STRETCH, 0, 0
        known: Counter[str] = Counter()
        while read < ENTRIES_MAX:
            floor = await self.store.cases.fences.floor(place, stretch)
            candidates = await self._candidates(words, place, floor, who, known)
            remaining = iter(candidates.places)
            while some := list(islice(remaining, min(ROWS_PER_QUERY, limit - len(page.rows) + FEWEST))):
                for row, found in await self._compared(some, words, query, who):
                    if found and len(page.rows) == limit:
                        page.next = page.rows[-1]["_id"]
                        return page
                    page.rows += [row] if found else []
                    examined += 1
                    if examined >= EXAMINED_MAX:
                        page.next = row["_id"]
                        return page
            if not candidates.end:
                return page
            place, read = candidates.end, read + candidates.read
            stretch = 2 * stretch if place == floor else stretch
        return await self._to_be_continued(page, words, query, before, place or "", limit, who)

    async def _candidates(
        self, words: SearchQuery, before: str | None, floor: str, who: StaffUser, known: Counter[str]
    ) -> Candidates:
        """Cases that may match: those with the rarest term, without those that lack another one.

        `known` counts the entries of each term so far, so that the rarest is looked up first and may make the others needless.
        """
        looked_up: list[Candidates] = []
        for term in sorted(words.lookups, key=lambda one: known[one]):
            found = await self._with_term(term, before, floor, who)
            known[term] += found.read
            looked_up.append(found)
            if found.end == floor and len(found.places) <= FEW:
                break
        rarest = min(looked_up, key=lambda one: (one.end, len(one.places)))
        others = [(frozenset(one.places), one.end) for one in looked_up if one is not rarest]
        places = [one for one in rarest.places if all(one in some or one < end for some, end in others)]
        return Candidates(places, rarest.end, sum(one.read for one in looked_up))

    async def _with_term(self, term: str, before: str | None, floor: str, who: StaffUser) -> Candidates:
        places: set[str] = set()
        end, read = floor, 0
        for audience in _audiences(who):
            found = await self.store.search.places(gram(audience, term), before, floor, WINDOW)
            places.update(found)
            end = max(end, found[-1]) if len(found) == WINDOW else end
            read += len(found)
        return Candidates(sorted((one for one in places if one >= end), reverse=True), end, read)

    async def _compared(
        self, places: Sequence[str], words: SearchQuery, query: Document, who: StaffUser
    ) -> list[tuple[Document, bool]]:
        """The rows of these places that meet the query, in order, and whether their texts match."""
        rows = await self.store.cases.among([one.split("/")[1] for one in places], query)
        decisions = await self.store.decisions.of_many(list(rows))
        ordered = [rows[id_] for one in places if (id_ := one.split("/")[1]) in rows]
        return [(row, _matches(searchable(row["_id"], decisions[row["_id"]]), words, who)) for row in ordered]

    async def _to_be_continued(
        self,
        page: SearchPage,
        words: SearchQuery,
        query: Document,
        before: str | None,
        end: str,
        limit: int,
        who: StaffUser,
    ) -> SearchPage:
        """Continue after a case that this user has, so that `next` says nothing about the cases of others.

        That is the oldest one down to which everything was searched, else the one behind it, which is compared first.
        """
        mine: Document = {"departments": who.department} if who.department is not None else {}
        if (last := await self.store.cases.oldest(mine, end, before)) is not None:
            page.next = last["_id"]
            return page
        for row in await self.store.cases.newest(mine, end, 1):
            page.next = row["_id"]
            for same, found in await self._compared([row["place"]], words, query, who):
                if found and len(page.rows) == limit:
                    page.next = page.rows[-1]["_id"]
                elif found:
                    page.rows.append(same)
        return page


def _audiences(who: StaffUser) -> tuple[str, ...]:
    """Whose numbers a user looks up. The work then depends on no text that the user may not see."""
    if who.department is None:
        return (STAFF,)
    return (who.department, approvers(who.department)) if who.role == "approver" else (who.department,)


def _matches(texts: SearchableTexts, words: SearchQuery, who: StaffUser) -> bool:
    """Whether the texts that this user may see have all words."""
    if who.department is None:
        return words.matches(texts.all)
    if not has_part(texts.case, who.department):
        return False
    visible = [*texts.shared, *texts.own.get(who.department, ())]
    if texts.pending is not None and sees_waiting(texts.case, who.department, who):
        visible.append(texts.pending)
    return words.matches(visible)
