"""Replaying dead letters: into the replay topic of their service, or, where the log has an order to keep, by a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.redaction import REPLAYED
from services.router.desk.commands import Commands
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.inputs import CaseReplay
from shared.kafka import topics
from shared.kafka.dead_letters import original
from shared.kafka.publisher import Publisher
from shared.kafka.records import Record
from shared.kafka.topic_reader import TopicReader, topic_reader
from shared.store.mongo import Document, find_by

ORIGIN = ("dl_topic", "dl_partition", "dl_offset", "dl_timestamp")


class ReplayOutcome(Documented):
    """What became of one letter, or would: `how` is a sentence, `event_id` the command that takes it."""

    id: str
    """The id of the dead letter."""
    outcome: Literal["replayed", "would-replay", "already", "refused", "unknown"]
    """`replayed`; `would-replay` in a dry run; `already` when there is nothing left to do; `refused`; `unknown` when
    no dead letter has this id."""
    how: str
    """What was done or why not, one sentence."""
    event_id: str | None = None
    """The id of the command that takes the record; null when the record went into the replay topic or nowhere."""


@dataclass(frozen=True)
class ReplayOrder:
    """How letters shall be replayed, and who says so; `anyway` also those that were replayed or discarded before."""

    by: str
    anyway: bool = False
    dry_run: bool = False


class ReplayRefused(Exception):
    """This letter cannot be replayed; says why, and what to do."""


class NothingToReplay(Exception):
    """Nothing is left to be done; says why."""


@dataclass
class DeadLetterReplay:
    """Sends dead letters back; every step is safe to repeat, because effects are keyed."""

    letters: DeadLetterIndex
    store: RouterStore
    publisher: Publisher
    commands: Commands

    async def replay(self, ids_: Sequence[str], order: ReplayOrder) -> list[ReplayOutcome]:
        """Replay letters in the order in which they were put aside; one command takes all that is parked of an inquiry."""
        known = await self.letters.many(ids_)
        outcomes = [unknown(id_) for id_ in dict.fromkeys(ids_) if id_ not in known]
        commands: dict[str, str] = {}
        wanted = {one["_id"]: one for one in known.values()}
        async with topic_reader(self.letters.kafka) as look:
            for letter in sorted(wanted.values(), key=lambda one: str(one["order"])):
                outcomes.append(await self._one(look, letter, order, commands))
        return outcomes

    async def _one(
        self, look: TopicReader, letter: Document, order: ReplayOrder, commands: dict[str, str]
    ) -> ReplayOutcome:
        try:
            possible(letter, order)
            if await self.erased(letter):
                raise ReplayRefused(
                    f"The inquiry {letter['inquiry_id']} is erased, so its records are not published again; discard it."
                )
            if of_the_log(letter):
                return await self._onto_the_log(look, letter, order, commands)
            return await self._into_its_topic(look, letter, order)
        except ReplayRefused as refused:
            return ReplayOutcome(id=letter["_id"], outcome="refused", how=str(refused))
        except NothingToReplay as settled:
            return ReplayOutcome(id=letter["_id"], outcome="already", how=str(settled))

    async def erased(self, letter: Document) -> bool:
        """Whether its inquiry is erased. An event is no such letter: it holds no words, and scores need it."""
        if letter["inquiry_id"] is None or letter["topic"] == topics.EVENTS:
            return False
        return bool(await self.store.tombstones.through_of([letter["inquiry_id"]]))

    async def _into_its_topic(self, look: TopicReader, letter: Document, order: ReplayOrder) -> ReplayOutcome:
        topic = topics.replays(letter["service"])
        record = again(await self._record(look, letter), letter["replays"] + 1)
        if order.dry_run:
            return ReplayOutcome(id=letter["_id"], outcome="would-replay", how=f"It would go into {topic}.")
        await self.publisher.publish_raw({topic: [record]})
        await self.letters.mark_replayed(letter, order.by)
        return ReplayOutcome(id=letter["_id"], outcome="replayed", how=f"It lies in {topic}.")

    async def _onto_the_log(
        self, look: TopicReader, letter: Document, order: ReplayOrder, commands: dict[str, str]
    ) -> ReplayOutcome:
        """The log of a case is never written out of order: what failed is taken by a command that is one more input.

        First it is laid where the command finds it; only then the command is given, and only then that is noted.
        """
        inquiry_id = letter["inquiry_id"]
        if inquiry_id is None:
            raise ReplayRefused("Its key names no inquiry, so there is no case whose log it could go onto; discard it.")
        parked = {one.record.place: one for one in await self.store.parked.of([inquiry_id])}
        # What is parked may be decided, where only its messages could not be published: the command says them.
        if letter["place"] not in parked and letter["event_id"] in await self.store.decisions.causes(inquiry_id):
            if not order.dry_run:
                await self.letters.mark_replayed(letter, order.by)
            raise NothingToReplay("It has been decided meanwhile.")
        missing = await self._missing(look, letter, parked)
        if order.dry_run:
            count = len(parked) + len(missing)
            how = f"The command replay would go onto the log of {inquiry_id} and take {count} parked there, in order."
            return ReplayOutcome(id=letter["_id"], outcome="would-replay", how=how)
        for one in missing:
            await self.store.parked.add(one)
        there = parked.get(letter["place"])
        if discarded := there is not None and there.discarded:
            await self.store.parked.discard(letter["place"], discarded=False)
        if missing or discarded or inquiry_id not in commands:
            # A command that was given before this was laid there may have been carried out without it.
            given = CaseReplay(inquiry_id=inquiry_id, by=order.by)
            commands[inquiry_id] = await self.commands.enter(inquiry_id, given, ids.new_event_id())
        event_id = commands[inquiry_id]
        for other in await self._letters_at({letter["place"], *parked}, inquiry_id):
            if other["_id"] == letter["_id"] or other["status"] == "open":
                await self.letters.mark_replayed(other, order.by, event_id)
        how = f"The command {event_id} takes what is parked of {inquiry_id}, in order."
        return ReplayOutcome(id=letter["_id"], outcome="replayed", how=how, event_id=event_id)

    async def _missing(self, look: TopicReader, letter: Document, parked: Mapping[str, Parked]) -> list[Parked]:
        """The input itself, unless it is parked; a command that failed is not, another is given in its place."""
        if letter["place"] in parked or letter["type"] == CaseReplay.type:
            return []
        given = original(await self._record(look, letter))
        marks = [(REPLAYED, str(letter["replays"] + 1).encode())]
        marked = given._replace(headers=[*unmarked(given), *marks])
        return [Parked(marked, letter["inquiry_id"], "permanent", letter["reason"])]

    async def _record(self, look: TopicReader, letter: Document) -> Record:
        record = await self.letters.content(look, letter)
        if record is None:
            raise ReplayRefused("It is not in its topic any more; its record has expired.")
        return record

    async def discard(self, id_: str, why: str, by: str) -> tuple[Document, str | None]:
        """Discard a letter; raises Problem 404 or 409, safe to repeat. An input that is parked will be passed over.

        Returns the letter, and the inquiry that still waits for a replay of others; one that does not goes on at once.
        """
        letter = await self.letters.discard(id_, why, by)
        inquiry_id = letter["inquiry_id"]
        if letter["place"] is None or not await self.store.parked.discard(letter["place"]):
            return letter, None
        if not all(one.discarded for one in await self.store.parked.of([inquiry_id])):
            return letter, inquiry_id
        given = CaseReplay(inquiry_id=inquiry_id, by=letter["history"][-1]["by"])
        await self.commands.enter(inquiry_id, given, ids.named_id(f"release/{id_}/{len(letter['history'])}"))
        return letter, None

    async def _letters_at(self, places: set[str], inquiry_id: str) -> list[Document]:
        found = await find_by(self.letters.letters, "inquiry_id", [inquiry_id])
        return [one for one in found if of_the_log(one) and one["place"] in places]

    async def refresh(self) -> int:
        """Bring the letters up to date; returns how many are unread. What a failed command left parked is open again."""
        unread = await self.letters.refresh()
        async for letter in self.letters.letters.find({"pending": {"$exists": True}}):
            if not await self.store.parked.collection.find_one({"_id": letter["place"]}):
                await self.letters.settle(letter)
            elif await self.letters.of_events([letter["pending"]]):
                await self.letters.settle(letter, status="open")
        return unread


def possible(letter: Document, order: ReplayOrder) -> None:
    """Raises Refused or Settled for what can be told without looking at the letter itself."""
    said = letter["history"][-1] if letter["history"] else {}
    if letter["status"] == "discarded" and not order.anyway:
        raise ReplayRefused(
            f"It was discarded by {said.get('by')!r} at {said.get('at')}, because: {said.get('why')} "
            "Say --anyway (`anyway`) when it shall be replayed all the same."
        )
    if letter["status"] == "replayed" and not order.anyway:
        raise NothingToReplay(f"It was replayed by {said.get('by')!r} at {said.get('at')}.")
    if letter["place"] is None:
        raise ReplayRefused("It does not say where it came from.")
    if letter["cut"]:
        raise ReplayRefused(f"It was too large to be kept; its record lies at {letter['place']}.")
    if letter["topic"] == topics.CITY:
        raise ReplayRefused("A revision of the city is not replayed: apply the city again.")


def of_the_log(letter: Document) -> bool:
    """Whether it is an input of a case, whose place among the others matters."""
    return str(letter["topic"]) == topics.INPUTS


def again(letter: Record, number: int) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """The record as it was, with where it came from, and which replay this is."""
    if letter.value is None and letter.key is None and not unmarked(letter):
        raise ReplayRefused("Nothing was kept of it: it could not be unpacked.")
    marks = [(name, value.encode()) for name in ORIGIN if (value := letter.header(name)) is not None]
    return letter.key, letter.value, [*unmarked(letter), *marks, (REPLAYED, str(number).encode())]


def unmarked(record: Record) -> list[tuple[str, bytes | None]]:
    """The headers that its writer gave it."""
    return [(name, value) for name, value in record.headers if not name.startswith("dl_") and name != REPLAYED]


def unknown(id_: str) -> ReplayOutcome:
    """There is no such letter."""
    return ReplayOutcome(
        id=id_, outcome="unknown", how="There is no such dead letter; `chorus dead-letters list` shows them."
    )
