"""What the router keeps: decisions (the record), cases (a view), commands (the desk's ledger), revisions of the city,
and parked: inputs that failed for good, with those that must not overtake them."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.router.domain.case import OPEN, Case
from services.router.domain.decision import Decision, after, case_of, from_document
from shared.city import City
from shared.kafka.records import Record
from shared.store.mongo import (
    ASCENDING,
    DESCENDING,
    Database,
    Document,
    DuplicateKeyError,
    UpdateOne,
    find_by,
    insert_new,
)

OPEN_CASES = ["triage", "assigned", "in-progress"]
CASES_KEPT = 10_000
CHARACTERS_KEPT = 50_000_000


@dataclass(frozen=True, slots=True)
class Parked:
    """An input of the log that waits for a replay; one that was discarded is passed over then."""

    record: Record
    inquiry_id: str
    kind: str
    reason: str
    discarded: bool = False

    def document(self) -> Document:
        """As it is stored, under its place on the log."""
        kept = {name: getattr(self.record, name) for name in Record._fields if name != "headers"}
        headers = [[name, value] for name, value in self.record.headers]
        about = {"inquiry_id": self.inquiry_id, "kind": self.kind, "reason": self.reason, "discarded": self.discarded}
        return {"_id": self.record.place, **about, **kept, "headers": headers}


class RouterStore:
    """The router's database, and the folded cases it remembers; a remembered case is never trusted over an insert."""

    def __init__(self, database: Database) -> None:
        self.decisions = database["decisions"]
        self.cases = database["cases"]
        self.revisions = database["revisions"]
        self.parked = database["parked"]
        self._folded: OrderedDict[str, Case] = OrderedDict()
        self._kept = 0

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self.decisions.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)])
        await self.cases.create_index([("state", ASCENDING)])
        await self.cases.create_index([("departments", ASCENDING), ("_id", ASCENDING)])
        await self.parked.create_index([("inquiry_id", ASCENDING)])

    # ── decisions ────────────────────────────────────────────────────────────

    async def load(self, inquiry_ids: Iterable[str], new: frozenset[str] = frozenset()) -> dict[str, Case]:
        """The cases by inquiry id. Those that are probably `new` are not looked up: the insert will tell."""
        wanted = list(inquiry_ids)
        cases = {one: self._folded.get(one) or Case(one) for one in wanted}
        unknown = [one for one in wanted if one not in self._folded and one not in new]
        return cases | await self.stored(unknown) if unknown else cases

    async def stored(self, inquiry_ids: Sequence[str]) -> dict[str, Case]:
        """The cases as they are now, whatever this process remembers."""
        decisions: dict[str, list[Decision]] = {one: [] for one in inquiry_ids}
        for stored in await find_by(self.decisions, "inquiry_id", inquiry_ids):
            decisions[stored["inquiry_id"]].append(from_document(stored))
        return {one: case_of(one, some) for one, some in decisions.items()}

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        """Insert decisions; return the inquiries of those whose place was taken, which must be loaded and decided again.

        The insert is the compare-and-set, the deduplication and the outbox.
        """
        taken = await insert_new(self.decisions, [decision.document() for _, decision in decided])
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

    async def decisions_at(self, places: Sequence[tuple[str, int]]) -> list[Decision]:
        """Decisions by inquiry and n."""
        ids = [f"{inquiry_id}/{n}" for inquiry_id, n in places]
        return [from_document(stored) for stored in await find_by(self.decisions, "_id", ids)]

    async def decisions_of(self, inquiry_id: str) -> list[Decision]:
        """All decisions of an inquiry, in order."""
        stored = await self.decisions.find({"inquiry_id": inquiry_id}).to_list(None)
        return sorted((from_document(one) for one in stored), key=lambda one: one.n)

    async def known(self, inquiry_ids: Iterable[str]) -> set[str]:
        """Those inquiries that have a decision."""
        wanted = sorted(set(inquiry_ids))
        known = {one for one in wanted if one in self._folded}
        first = [f"{one}/1" for one in wanted if one not in known]
        return known | {one["inquiry_id"] for one in await find_by(self.decisions, "_id", first, ["inquiry_id"])}

    # ── what is parked ───────────────────────────────────────────────────────

    async def park(self, parked: Parked) -> None:
        """Keep an input under its place; safe to repeat."""
        await insert_new(self.parked, [parked.document()])

    async def parked_inquiries(self) -> set[str]:
        """The inquiries whose inputs queue; a letter that the desk laid here to be read again holds nobody up."""
        held = self.parked.find({"kind": {"$in": ["exhausted", "parked"]}}, ["inquiry_id"])
        return {one["inquiry_id"] for one in await held.to_list(None)}

    async def parked_of(self, inquiry_ids: Sequence[str]) -> list[Parked]:
        """What is parked of these inquiries, in the order of the log."""
        stored = await find_by(self.parked, "inquiry_id", inquiry_ids)
        return [_parked(one) for one in sorted(stored, key=lambda one: (one["partition"], one["offset"]))]

    async def discard_parked(self, place: str, *, discarded: bool = True) -> bool:
        """Have a replay pass over this one, or not; False when it is not there (any more)."""
        found = await self.parked.update_one({"_id": place}, {"$set": {"discarded": discarded}})
        return bool(found.matched_count)

    async def unpark(self, taken: Sequence[Parked]) -> None:
        """Forget what has been taken; safe to repeat."""
        await self.parked.delete_many({"_id": {"$in": [one.record.place for one in taken]}})

    # ── the view ─────────────────────────────────────────────────────────────

    async def show(self, rows: Sequence[Document]) -> None:
        """Bring the view up to date; a row that is not newer than what is shown changes nothing."""
        updates = []
        for row in rows:
            fields = {name: value for name, value in row.items() if name != "_id"}
            updates.append(UpdateOne({"_id": row["_id"], "sequence": {"$lt": row["sequence"]}}, {"$set": fields}))
        have = {one["_id"] for one in await find_by(self.cases, "_id", [row["_id"] for row in rows], ["_id"])}
        taken = await insert_new(self.cases, [row for row in rows if row["_id"] not in have])
        late = [one for one, row in zip(updates, rows, strict=True) if row["_id"] in have | taken]
        if late:
            await self.cases.bulk_write(late, ordered=False)

    async def cases_page(self, query: Document, limit: int) -> list[Document]:
        """One page of the view, by inquiry id."""
        return await self.cases.find(query).sort("_id", ASCENDING).to_list(limit)

    async def cases_with(self, department: str, after: str, limit: int) -> list[str]:
        """Open cases in which this department has a part, by inquiry id, from after one on."""
        query = {"departments": department, "state": {"$in": OPEN_CASES}, "_id": {"$gt": after}}
        found = await self.cases.find(query, ["_id"]).sort("_id", ASCENDING).to_list(limit)
        return [one["_id"] for one in found]

    async def open_parts(self) -> dict[str, int]:
        """How many parts of open cases are offered, and how many accepted."""
        sums = {state: {"$sum": f"$part_states.{state}"} for state in OPEN}
        still_open = {"$match": {"state": {"$in": OPEN_CASES}}}
        found = await self.cases.aggregate([still_open, {"$group": {"_id": None, **sums}}]).to_list(1)
        return {state: int(found[0][state]) if found else 0 for state in OPEN}

    # ── the city ─────────────────────────────────────────────────────────────

    async def latest_city(self) -> City | None:
        """The last revision that was accepted here."""
        stored = await self.revisions.find_one({}, sort=[("_id", DESCENDING)])
        return City.model_validate_json(stored["city"]) if stored else None

    async def add_revision(self, city: City) -> bool:
        """Store a revision under its number; False when somebody else has taken the number meanwhile."""
        try:
            await self.revisions.insert_one({"_id": city.revision, "city": city.model_dump_json()})
        except DuplicateKeyError:
            return False
        return True


def _parked(stored: Document) -> Parked:
    kept = {name: stored[name] for name in Record._fields if name != "headers"}
    record = Record(**kept, headers=[(name, value) for name, value in stored["headers"]])
    return Parked(record, stored["inquiry_id"], stored["kind"], stored["reason"], stored["discarded"])
