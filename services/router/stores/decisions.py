"""Decisions: the record of every case, and the folded cases that this process remembers."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from services.router.domain.case import Case
from services.router.domain.decision import Decision, after, case_of, from_document
from shared.store.mongo import ASCENDING, Database, find_by, insert_new

CASES_KEPT = 10_000
CHARACTERS_KEPT = 50_000_000


class Decisions:
    """The collection `decisions`. A remembered case is never trusted over an insert."""

    def __init__(self, database: Database) -> None:
        self.collection = database["decisions"]
        self._folded: OrderedDict[str, Case] = OrderedDict()
        self._kept = 0

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.collection.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)])

    async def load(self, inquiry_ids: Iterable[str], new: frozenset[str] = frozenset()) -> dict[str, Case]:
        """The cases by inquiry id. Those that are probably `new` are not looked up: the insert will tell."""
        wanted = list(inquiry_ids)
        cases = {one: self._folded.get(one) or Case(one) for one in wanted}
        unknown = [one for one in wanted if one not in self._folded and one not in new]
        return cases | await self.reload(unknown) if unknown else cases

    async def reload(self, inquiry_ids: Sequence[str]) -> dict[str, Case]:
        """The cases as they are now, whatever this process remembers."""
        decisions: dict[str, list[Decision]] = {one: [] for one in inquiry_ids}
        for stored in await find_by(self.collection, "inquiry_id", inquiry_ids):
            decisions[stored["inquiry_id"]].append(from_document(stored))
        return {one: case_of(one, some) for one, some in decisions.items()}

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        """Insert decisions; return the inquiries of those whose place was taken, which must be loaded and decided again.

        The insert is the compare-and-set, the deduplication and the outbox.
        """
        taken = await insert_new(self.collection, [decision.document() for _, decision in decided])
        lost = {id_.split("/")[0] for id_ in taken}
        for case, decision in decided:
            if decision.inquiry_id in lost:
                forgotten = self._folded.pop(decision.inquiry_id, None)
                self._kept -= forgotten.weight if forgotten else 0
            else:
                self._remember(after(case, decision))
        return lost

    def _remember(self, case: Case) -> None:
        """Keep a case as long as there is room, by count and by what its words weigh."""
        former = self._folded.get(case.inquiry_id)
        self._kept += case.weight - (former.weight if former else 0)
        self._folded[case.inquiry_id] = case
        self._folded.move_to_end(case.inquiry_id)
        while len(self._folded) > CASES_KEPT or self._kept > CHARACTERS_KEPT:
            _, oldest = self._folded.popitem(last=False)
            self._kept -= oldest.weight

    async def at(self, places: Sequence[tuple[str, int]]) -> list[Decision]:
        """Decisions by inquiry and n."""
        ids = [f"{inquiry_id}/{n}" for inquiry_id, n in places]
        return [from_document(stored) for stored in await find_by(self.collection, "_id", ids)]

    async def of(self, inquiry_id: str) -> list[Decision]:
        """All decisions of an inquiry, in order."""
        stored = await self.collection.find({"inquiry_id": inquiry_id}).to_list(None)
        return sorted((from_document(one) for one in stored), key=lambda one: one.n)

    async def known(self, inquiry_ids: Iterable[str]) -> set[str]:
        """Those inquiries that have a decision."""
        wanted = sorted(set(inquiry_ids))
        known = {one for one in wanted if one in self._folded}
        first = [f"{one}/1" for one in wanted if one not in known]
        return known | {one["inquiry_id"] for one in await find_by(self.collection, "_id", first, ["inquiry_id"])}
