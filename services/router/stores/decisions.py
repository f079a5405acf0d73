"""Stores decisions, the record of every case, and caches the cases that they fold into."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import suppress

from services.router.domain.case import Case, Inquiry
from services.router.domain.decision import OLDEST_VERSION, VERSION, Decision, after, case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.contracts.case_commands import CaseErase
from shared.contracts.envelope import PREFIX
from shared.contracts.ids import unpacked_id
from shared.kafka.failures import DependencyUnavailable
from shared.store.mongo import ASCENDING, Database, Document, UnreadableFormat, find_by, insert_new

CASES_KEPT = 10_000
CHARACTERS_KEPT = 50_000_000
READABLE = f"{OLDEST_VERSION} to {VERSION}"
VERSION_CHECK_S = 3.0
ERASE = CaseErase.type.removeprefix(PREFIX)
UPDATES_PER_CALL = 50
"""A query for more ids at once is slow on the local store."""


class InFlightDecisions:
    """By partition, the decisions whose messages this process publishes and has not listed in `published` yet."""

    def __init__(self) -> None:
        self.newest: dict[int, tuple[int, str]] = {}
        """Offset and `_id` of the decision with the highest offset, by partition; `remove` keeps it."""
        self._offsets: dict[int, dict[str, int]] = defaultdict(dict)

    def add(self, decision: Decision) -> None:
        (partition, offset), id_ = decision.at, f"{decision.inquiry_id}/{decision.n}"
        self._offsets[partition][id_] = offset
        self.newest[partition] = max(self.newest.get(partition, (-1, "")), (offset, id_))

    def before(self, partition: int, offset: int) -> list[str]:
        """The `_id`s of decisions on inputs before this offset."""
        return [id_ for id_, at in self._offsets[partition].items() if at < offset]

    def remove(self, partition: int, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._offsets[partition].pop(id_, None)

    def keep_only(self, partitions: Collection[int]) -> None:
        """Remove the other partitions: their new owners read again, and list, whatever was not committed."""
        for revoked in self._offsets.keys() - set(partitions):
            del self._offsets[revoked]


class Decisions:
    """The collection `decisions` and the cache of cases. A cached case may be outdated; the insert then fails."""

    def __init__(self, database: Database) -> None:
        self.collection = database["decisions"]
        self._folded: OrderedDict[str, Case] = OrderedDict()
        self._kept = 0
        self.in_flight = InFlightDecisions()

    async def prepare(self) -> None:
        """Create the index; safe to repeat. Raises UnreadableFormat when a decision has an older version."""
        await self.collection.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)])
        older = await self._older_version()
        if older is not None:
            raise UnreadableFormat(
                f"The database {self.collection.database.name!r} has a decision of version {older['v']!r}, "
                f"{older['_id']!r}, but this router reads versions {READABLE}: give it an empty database."
            )

    async def _older_version(self) -> Document | None:
        """A decision of an older version, if the search ends within VERSION_CHECK_S.

        There is no index on `v`, so the search may be slow. `read` refuses a decision that it does not find.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(VERSION_CHECK_S):
                return await self.collection.find_one({"v": {"$lt": OLDEST_VERSION}}, ["v"])
        return None

    async def load(self, inquiry_ids: Iterable[str], new: frozenset[str] = frozenset()) -> dict[str, Case]:
        """Cases by inquiry id, from the cache where possible. Does not look up `new` ones: their insert fails if they exist."""
        wanted = list(inquiry_ids)
        cases = {one: self._folded.get(one) or Case(one) for one in wanted}
        unknown = [one for one in wanted if one not in self._folded and one not in new]
        return cases | await self.reload(unknown) if unknown else cases

    async def reload(self, inquiry_ids: Sequence[str]) -> dict[str, Case]:
        """Cases by inquiry id, from the store and not from the cache."""
        found = await self._all(inquiry_ids)
        return {one: case_of(one, found[one]) for one in inquiry_ids}

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        """Insert decisions. Returns the inquiries whose n-th decision exists already: load and decide these again.

        This one insert is compare-and-set (`_id` is inquiry and n), deduplication (`cause`) and outbox (`messages`).
        """
        taken = await insert_new(self.collection, [decision.document() for _, decision in decided])
        lost = {id_.split("/")[0] for id_ in taken}
        for case, decision in decided:
            if decision.inquiry_id in lost:
                self._forget(decision.inquiry_id)
            else:
                self._remember(after(case, decision))
                self.in_flight.add(decision)
        return lost

    async def erase(self, inquiry_id: str, through: int) -> None:
        """Delete words, salts, digests and messages from decisions 1 to `through`; safe to repeat. Facts and ids stay.

        The decision to erase keeps its messages, which have no words: they may not be published yet.
        """
        until: Document = {"inquiry_id": inquiry_id, "n": {"$lte": through}}
        erased = dict.fromkeys(("words", "salt", "digest"), "")
        await self.collection.update_many(until, {"$unset": erased})
        others = until | {"type": {"$ne": ERASE}}
        await self.collection.update_many(others, {"$unset": {"messages": "", "picture": ""}})
        self._forget(inquiry_id)

    def _forget(self, inquiry_id: str) -> None:
        forgotten = self._folded.pop(inquiry_id, None)
        self._kept -= forgotten.weight if forgotten else 0

    async def drop_messages(self, ids: Sequence[str]) -> None:
        """Delete the stored messages of these decisions. Their events can still be published again, from the facts."""
        for start in range(0, len(ids), UPDATES_PER_CALL):
            only = {"_id": {"$in": ids[start : start + UPDATES_PER_CALL]}}
            await self.collection.update_many(only, {"$unset": {"messages": "", "picture": ""}})

    def _remember(self, case: Case) -> None:
        """Cache a case, and evict the least recently used ones beyond CASES_KEPT or CHARACTERS_KEPT."""
        former = self._folded.get(case.inquiry_id)
        self._kept += case.weight - (former.weight if former else 0)
        self._folded[case.inquiry_id] = case
        self._folded.move_to_end(case.inquiry_id)
        while len(self._folded) > CASES_KEPT or self._kept > CHARACTERS_KEPT:
            _, oldest = self._folded.popitem(last=False)
            self._kept -= oldest.weight

    async def at(self, places: Sequence[tuple[str, int]]) -> list[Decision]:
        """The decisions with these inquiry ids and numbers, with their messages, which the caller publishes again."""
        stored = await self._all([inquiry_id for inquiry_id, _ in places])
        by_n = {one: {d.n: d for d in with_messages(one, some)} for one, some in stored.items()}
        found = [by_n[inquiry_id][n] for inquiry_id, n in places if n in by_n[inquiry_id]]
        for decision in found:
            self.in_flight.add(decision)
        return found

    async def has(self, inquiry_id: str, n: int) -> bool:
        """Whether there is a decision with this number."""
        return await self.collection.find_one({"_id": f"{inquiry_id}/{n}"}, ["_id"]) is not None

    async def of(self, inquiry_id: str) -> list[Decision]:
        """All decisions of an inquiry with their messages, in order."""
        return with_messages(inquiry_id, (await self._all([inquiry_id]))[inquiry_id])

    async def of_many(self, inquiry_ids: Sequence[str]) -> dict[str, list[Decision]]:
        """All decisions by inquiry id, in any order and without complete messages."""
        return await self._all(inquiry_ids)

    async def causes(self, inquiry_id: str) -> set[str]:
        """The ids of the inputs that have a decision."""
        found = await find_by(self.collection, "inquiry_id", [inquiry_id], ["cause"])
        return {unpacked_id(one["cause"]) for one in found}

    async def in_order(self, inquiry_id: str) -> AsyncIterator[Decision]:
        """All decisions with their messages, in the order of inquiry and n, from this inquiry on."""
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
        """The subject lines by inquiry id, without inquiries that are erased or not registered yet."""
        return {id_: one.subject.text for id_, one in (await self.inquiries(inquiry_ids)).items()}

    async def inquiries(self, inquiry_ids: Sequence[str]) -> dict[str, Inquiry]:
        """The residents' messages by inquiry id, without inquiries that are erased or not registered yet."""
        first = await find_by(self.collection, "_id", [f"{one}/1" for one in inquiry_ids])
        cases = [after(Case(one["inquiry_id"]), read(one)) for one in first]
        return {one.inquiry_id: one.inquiry for one in cases if one.inquiry is not None and one.inquiry.subject.text}

    async def _all(self, inquiry_ids: Iterable[str]) -> dict[str, list[Decision]]:
        """All decisions of these inquiries, without complete messages."""
        found: dict[str, list[Decision]] = {one: [] for one in inquiry_ids}
        for stored in await find_by(self.collection, "inquiry_id", list(found)):
            found[stored["inquiry_id"]].append(read(stored))
        return found

    async def known(self, inquiry_ids: Iterable[str]) -> set[str]:
        """The ids among `inquiry_ids` that have a decision."""
        wanted = sorted(set(inquiry_ids))
        known = {one for one in wanted if one in self._folded}
        first = [f"{one}/1" for one in wanted if one not in known]
        return known | {one["inquiry_id"] for one in await find_by(self.collection, "_id", first, ["inquiry_id"])}


def read(stored: Document) -> Decision:
    """The decision in a MongoDB document.

    Raises DependencyUnavailable for a version that this router does not read, so that the core waits instead of deciding
    on a case that it cannot read completely.
    """
    if not OLDEST_VERSION <= stored["v"] <= VERSION:
        needed = "a-newer-router" if stored["v"] > VERSION else "a-database-of-this-version"
        raise DependencyUnavailable(
            needed,
            f"The decision {stored['_id']!r} has version {stored['v']!r}, but this router reads versions {READABLE}.",
        )
    return from_document(stored)
