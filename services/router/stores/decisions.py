"""Decisions: the record of every case, and the folded cases that this process remembers."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import suppress

from services.router.domain.case import Case
from services.router.domain.decision import VERSION, Decision, after, case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.contracts.ids import unpacked_id
from shared.kafka.failures import DependencyUnavailable
from shared.store.mongo import ASCENDING, Database, Document, UnreadableFormat, find_by, insert_new

CASES_KEPT = 10_000
CHARACTERS_KEPT = 50_000_000
LOOK_S = 3.0
UPDATED_TOGETHER = 50
"""So many ids a store looks up quickly."""


class SaidDecisions:
    """The decisions whose messages this process publishes, by partition, until the place of their inputs is noted."""

    def __init__(self) -> None:
        self.furthest: dict[int, tuple[int, str]] = {}
        """Offset and `_id` of the decision furthest on, noted or not."""
        self._offsets: dict[int, dict[str, int]] = defaultdict(dict)

    def add(self, decision: Decision) -> None:
        """A decision is stored here, or was stored before and is said again."""
        (partition, offset), id_ = decision.at, f"{decision.inquiry_id}/{decision.n}"
        self._offsets[partition][id_] = offset
        self.furthest[partition] = max(self.furthest.get(partition, (-1, "")), (offset, id_))

    def before(self, partition: int, offset: int) -> list[str]:
        """Those on inputs before this offset."""
        return [id_ for id_, at in self._offsets[partition].items() if at < offset]

    def noted(self, partition: int, ids: Iterable[str]) -> None:
        """These need not be remembered any longer."""
        for id_ in ids:
            self._offsets[partition].pop(id_, None)

    def keep_only(self, partitions: Collection[int]) -> None:
        """Other partitions have gone to other processes, which read again what was not committed."""
        for gone in self._offsets.keys() - set(partitions):
            del self._offsets[gone]


class Decisions:
    """The collection `decisions`. A remembered case is never trusted over an insert."""

    def __init__(self, database: Database) -> None:
        self.collection = database["decisions"]
        self._folded: OrderedDict[str, Case] = OrderedDict()
        self._kept = 0
        self.said = SaidDecisions()

    async def prepare(self) -> None:
        """Create the index; safe to repeat. Raises UnreadableFormat when a decision has a former version."""
        await self.collection.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)])
        former = await self._of_a_former_version()
        if former is not None:
            raise UnreadableFormat(
                f"The database {self.collection.database.name!r} holds a decision of version {former['v']!r}, "
                f"{former['_id']!r}, and this router reads version {VERSION!r} only: give it an empty database."
            )

    async def _of_a_former_version(self) -> Document | None:
        """One such decision. No index tells, so nobody looks for long: `read` refuses what is not found here."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                return await self.collection.find_one({"v": {"$lt": VERSION}}, ["v"])
        return None

    async def load(self, inquiry_ids: Iterable[str], new: frozenset[str] = frozenset()) -> dict[str, Case]:
        """The cases by inquiry id. Those that are probably `new` are not looked up: the insert will tell."""
        wanted = list(inquiry_ids)
        cases = {one: self._folded.get(one) or Case(one) for one in wanted}
        unknown = [one for one in wanted if one not in self._folded and one not in new]
        return cases | await self.reload(unknown) if unknown else cases

    async def reload(self, inquiry_ids: Sequence[str]) -> dict[str, Case]:
        """The cases as they are now, whatever this process remembers."""
        found = await self._whole(inquiry_ids)
        return {one: case_of(one, found[one]) for one in inquiry_ids}

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        """Insert decisions; return the inquiries of those whose place was taken, which must be loaded and decided again.

        The insert is the compare-and-set, the deduplication and the outbox.
        """
        taken = await insert_new(self.collection, [decision.document() for _, decision in decided])
        lost = {id_.split("/")[0] for id_ in taken}
        for case, decision in decided:
            if decision.inquiry_id in lost:
                self._forget(decision.inquiry_id)
            else:
                self._remember(after(case, decision))
                self.said.add(decision)
        return lost

    async def erase(self, inquiry_id: str, through: int) -> None:
        """Drop what an inquiry's decisions hold besides facts and ids, up to this one; safe to repeat."""
        erased = dict.fromkeys(("words", "salt", "digest", "messages", "picture"), "")
        await self.collection.update_many({"inquiry_id": inquiry_id, "n": {"$lte": through}}, {"$unset": erased})
        self._forget(inquiry_id)

    def _forget(self, inquiry_id: str) -> None:
        forgotten = self._folded.pop(inquiry_id, None)
        self._kept -= forgotten.weight if forgotten else 0

    async def drop_messages(self, ids: Sequence[str]) -> None:
        """Forget the stored messages of these decisions; their events can be said again all the same."""
        for start in range(0, len(ids), UPDATED_TOGETHER):
            only = {"_id": {"$in": ids[start : start + UPDATED_TOGETHER]}}
            await self.collection.update_many(only, {"$unset": {"messages": "", "picture": ""}})

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
        """Decisions by inquiry and n, with their messages, in the order of `places`: they are said again."""
        found = await self._whole([inquiry_id for inquiry_id, _ in places])
        whole = {one: {d.n: d for d in with_messages(one, some)} for one, some in found.items()}
        again = [whole[inquiry_id][n] for inquiry_id, n in places if n in whole[inquiry_id]]
        for decision in again:
            self.said.add(decision)
        return again

    async def of(self, inquiry_id: str) -> list[Decision]:
        """All decisions of an inquiry with their messages, in order."""
        return with_messages(inquiry_id, (await self._whole([inquiry_id]))[inquiry_id])

    async def causes(self, inquiry_id: str) -> set[str]:
        """The ids of the inputs that this inquiry has decided."""
        found = await find_by(self.collection, "inquiry_id", [inquiry_id], ["cause"])
        return {unpacked_id(one["cause"]) for one in found}

    async def in_order(self, inquiry_id: str) -> AsyncIterator[Decision]:
        """All decisions with their messages, by inquiry and n, from this inquiry on."""
        order = [("inquiry_id", ASCENDING), ("n", ASCENDING)]
        group: list[Decision] = []
        async for stored in self.collection.find({"inquiry_id": {"$gte": inquiry_id}}).sort(order):
            if group and group[0].inquiry_id != stored["inquiry_id"]:
                for one in with_messages(group[0].inquiry_id, group):
                    yield one
                group = []
            group.append(read(stored))
        for one in with_messages(group[0].inquiry_id, group) if group else ():
            yield one

    async def subjects(self, inquiry_ids: Sequence[str]) -> dict[str, str]:
        """The subject lines of those inquiries whose message is there and not erased."""
        first = await find_by(self.collection, "_id", [f"{one}/1" for one in inquiry_ids])
        cases = [after(Case(one["inquiry_id"]), read(one)) for one in first]
        subjects = {one.inquiry_id: one.inquiry.subject.text for one in cases if one.inquiry is not None}
        return {inquiry_id: subject for inquiry_id, subject in subjects.items() if subject}

    async def _whole(self, inquiry_ids: Iterable[str]) -> dict[str, list[Decision]]:
        """All decisions of these inquiries, without messages."""
        found: dict[str, list[Decision]] = {one: [] for one in inquiry_ids}
        for stored in await find_by(self.collection, "inquiry_id", list(found)):
            found[stored["inquiry_id"]].append(read(stored))
        return found

    async def known(self, inquiry_ids: Iterable[str]) -> set[str]:
        """Those inquiries that have a decision."""
        wanted = sorted(set(inquiry_ids))
        known = {one for one in wanted if one in self._folded}
        first = [f"{one}/1" for one in wanted if one not in known]
        return known | {one["inquiry_id"] for one in await find_by(self.collection, "_id", first, ["inquiry_id"])}


def read(stored: Document) -> Decision:
    """A stored decision. Raises DependencyUnavailable for one of another version, on which this one must not go on."""
    refuse_other(stored)
    return from_document(stored)


def refuse_other(stored: Document) -> None:
    """Raise DependencyUnavailable when the document has another version than this router's."""
    if stored["v"] != VERSION:
        needed = "a-newer-router" if stored["v"] > VERSION else "a-database-of-this-version"
        raise DependencyUnavailable(
            needed,
            f"The decision {stored['_id']!r} has version {stored['v']!r}, and this router reads version {VERSION!r} only.",
        )
