"""The masked versions of each inquiry, and what the hall shows of them after the decisions of reviewers.

Both only grow until an erasure. The document in `hall` has the decisions and a revision number: a process that has added a
version or a decision computes the entry again from all of them, and writes it only if nobody else has since.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.notifier.domain.hall import HallEntry
from services.notifier.domain.publication import (
    HallDecision,
    HallOutcome,
    HallVersion,
    earlier_replies,
    is_outdated,
    outcome,
    redactions,
    version_of,
)
from services.notifier.hall_documents import (
    decision,
    decision_document,
    entry,
    entry_document,
    version,
    version_document,
)
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, find_by, insert_new
from shared.store.tombstones import Tombstones


class Reviewed(NamedTuple):
    """An inquiry as a reviewer sees it: its newest version, what became of it, and the hash of the one in the hall."""

    newest: HallVersion
    state: str
    shown: str | None


class HallVersions:
    def __init__(self, database: Database, tombstones: Tombstones) -> None:
        self.hall = database["hall"]
        self.versions = database["hall_versions"]
        self.tombstones = tombstones

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])
        await self.hall.create_index([("state", ASCENDING), ("_id", ASCENDING)])
        await self.versions.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)])
        for one in await self.hall.find({"rev": {"$exists": False}}, ["_id"]).to_list(None):
            await self._adopt(one["_id"])

    async def _adopt(self, inquiry_id: str) -> None:
        """Keep showing an entry of a release that published without decisions. Safe to repeat."""
        if (former := await self.hall.find_one({"_id": inquiry_id, "rev": {"$exists": False}})) is not None:
            one = version_of(entry(former))
            await insert_new(self.versions, [version_document(one)])
            made = hall_document(inquiry_id, [HallDecision(one.entry.n, "published")], [one])
            await self.hall.replace_one({"_id": inquiry_id, "rev": {"$exists": False}}, made | {"rev": 1})

    async def latest(self, inquiry_ids: Sequence[str]) -> dict[tuple[str, int], int]:
        """The decision of the newest masked reply, by inquiry and round."""
        found: dict[tuple[str, int], int] = {}
        for one in await find_by(self.versions, "inquiry_id", inquiry_ids, ["inquiry_id", "round", "n", "of"]):
            if one["of"] is None:
                of = one["inquiry_id"], one["round"]
                found[of] = max(one["n"], found.get(of, 0))
        return found

    async def add(self, masked: HallEntry) -> None:
        """Store a masked entry as a version, unless there is one of the same decision, and settle. Safe to repeat."""
        await insert_new(self.versions, [version_document(version_of(masked))])
        await self.settle(masked.inquiry_id)

    async def decide(self, decided: Iterable[tuple[str, HallDecision]]) -> None:
        """Store decisions, each with its inquiry, and settle. Safe to repeat, and in any order."""
        by_inquiry: dict[str, list[HallDecision]] = {}
        for inquiry_id, one in decided:
            by_inquiry.setdefault(inquiry_id, []).append(one)
        for inquiry_id, some in by_inquiry.items():
            await self.settle(inquiry_id, some)

    async def settle(self, inquiry_id: str, more: Sequence[HallDecision] = ()) -> None:
        """Show what the hall must show of an inquiry after these decisions and those before."""
        while not await self._settled(inquiry_id, more):
            pass
        # Checked after the writes: an erasure that ran before them has not deleted these words.
        for erased, through in (await self.tombstones.through_of([inquiry_id])).items():
            await self.erase(erased, through)

    async def _settled(self, inquiry_id: str, more: Sequence[HallDecision]) -> bool:
        """Compute and write the entry; False when another process has written it meanwhile."""
        before = await self.hall.find_one({"_id": inquiry_id})
        if before is not None and "rev" not in before:
            await self._adopt(inquiry_id)
            return False
        known = {one.n: one for one in (*more, *map(decision, before["decisions"] if before else ()))}
        decisions = [known[n] for n in sorted(known)]
        versions = await self._versions_of(inquiry_id)
        if made := redactions(decisions, versions):
            await insert_new(self.versions, [version_document(one) for one in made])
            versions = await self._versions_of(inquiry_id)
        return await self._write(inquiry_id, before, decisions, versions)

    async def _write(
        self,
        inquiry_id: str,
        before: Document | None,
        decisions: Sequence[HallDecision],
        versions: Sequence[HallVersion],
    ) -> bool:
        rev = before["rev"] if before else 0
        made = hall_document(inquiry_id, decisions, versions) | {"rev": rev}
        if made == before:
            return True
        made["rev"] = rev + 1
        if before is None:
            return not await insert_new(self.hall, [made])
        return bool((await self.hall.replace_one({"_id": inquiry_id, "rev": rev}, made)).matched_count)

    async def _versions_of(self, inquiry_id: str) -> list[HallVersion]:
        found = self.versions.find({"inquiry_id": inquiry_id}).sort([("n", ASCENDING)])
        return [version(one) for one in await found.to_list(None)]

    async def erase(self, inquiry_id: str, through: int) -> None:
        """Delete the versions and decisions of an inquiry up to the decision `through`; safe to repeat."""
        await self.versions.delete_many({"inquiry_id": inquiry_id, "n": {"$lte": through}})
        while before := await self.hall.find_one({"_id": inquiry_id}):
            decisions = [one for one in map(decision, before["decisions"]) if one.n > through]
            versions = await self._versions_of(inquiry_id)
            if not decisions and not versions:
                if (await self.hall.delete_one({"_id": inquiry_id, "rev": before["rev"]})).deleted_count:
                    return
            elif await self._write(inquiry_id, before, decisions, versions):
                return

    async def page(self, state: str | None, after: str | None, limit: int) -> list[Reviewed]:
        """Up to `limit` inquiries in the order of their ticket numbers, after the one `after`."""
        query: Document = {"state": state} if state else {"newest": {"$ne": None}}
        if after:
            query["_id"] = {"$gt": after}
        rows = await self.hall.find(query, ["state", "newest", "shown"]).sort([("_id", ASCENDING)]).to_list(limit)
        named = [f"{row['_id']}/{row['newest']}" for row in rows]
        versions = {one["_id"]: version(one) for one in await find_by(self.versions, "_id", named)}
        found = [(row, versions.get(name)) for row, name in zip(rows, named, strict=True)]
        return [Reviewed(newest, row["state"], row["shown"]) for row, newest in found if newest is not None]

    async def reviewed(self, inquiry_id: str) -> Reviewed | None:
        """One inquiry; None when no reply of it is masked."""
        row = await self.hall.find_one({"_id": inquiry_id}, ["state", "newest", "shown"])
        stored = await self.versions.find_one({"_id": f"{inquiry_id}/{row['newest']}"}) if row else None
        return Reviewed(version(stored), row["state"], row["shown"]) if row and stored else None


def hall_document(inquiry_id: str, decisions: Sequence[HallDecision], versions: Sequence[HallVersion]) -> Document:
    """The document of an inquiry in `hall`, without its revision. It has the fields of an entry only if that is shown."""
    found = outcome(decisions, versions)
    about: dict[str, object] = {
        "_id": inquiry_id,
        "decisions": [decision_document(one) for one in decisions],
        "state": found.state if found.newest else None,
        "newest": found.newest.entry.n if found.newest else None,
        "shown": found.shown.sha256 if found.shown else None,
    }
    return about if found.shown is None else entry_document(_dated(found, decisions, versions)) | about


def _dated(found: HallOutcome, decisions: Sequence[HallDecision], versions: Sequence[HallVersion]) -> HallEntry:
    """The shown entry with the time of the answer, which a correction does not change, and with earlier rounds."""
    assert found.shown is not None
    shown = found.shown.entry
    answered_at = min(one.entry.answered_at for one in versions if one.entry.round == shown.round)
    earlier = earlier_replies(shown.round, decisions, versions)
    return replace(shown, answered_at=answered_at, is_outdated=is_outdated(found), earlier=earlier)
