"""Replays dead letters: an input by a `replay` command on the log of its case, other records through `<service>.replays`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.redaction import REPLAYED
from services.router.desk.commands import Commands
from services.router.domain.staff import StaffUser
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.contracts import ids
from shared.contracts.case_commands import CaseReplay
from shared.contracts.documented import Documented
from shared.http.problems import shown
from shared.kafka import topics
from shared.kafka.dead_letters import original
from shared.kafka.publisher import Publisher
from shared.kafka.records import Record
from shared.kafka.topic_reader import TopicReader, topic_reader
from shared.store.mongo import Document, find_by

ORIGIN = ("dl_topic", "dl_partition", "dl_offset", "dl_timestamp")


class ReplayOutcome(Documented):
    """The outcome of a replay, or of a dry run, for one dead letter."""

    id: str
    """The id of the dead letter."""
    outcome: Literal["replayed", "would-replay", "already", "refused", "unknown"]
    """`replayed`; `would-replay` in a dry run; `already` when there is nothing left to do; `refused`; `unknown` when
    no dead letter has this id."""
    how: str
    """What was done, or why nothing was done, in a sentence."""
    event_id: str | None = None
    """The id of the command `replay`; null when there is none."""


@dataclass(frozen=True)
class ReplayOrder:
    """Who replays, and how. `anyway`: also replay what was replayed or discarded before."""

    who: StaffUser
    by: str
    anyway: bool = False
    dry_run: bool = False


class ReplayRefused(Exception):
    """The dead letter cannot be replayed. The message gives the reason and what to do."""


class NothingToReplay(Exception):
    """The dead letter needs no replay. The message gives the reason."""


@dataclass
class DeadLetterReplay:
    """Replays and discards dead letters.

    Every step is safe to repeat: a record that a service has processed has no second effect, and parked inputs and
    commands are stored under their ids.
    """

    letters: DeadLetterIndex
    store: RouterStore
    publisher: Publisher
    commands: Commands

    async def replay(self, ids_: Sequence[str], order: ReplayOrder) -> list[ReplayOutcome]:
        """Replay dead letters in the order in which they were written, with one `replay` command for each inquiry."""
        known = await self.letters.many(ids_)
        outcomes = [unknown(id_) for id_ in dict.fromkeys(ids_) if id_ not in known]
        commands: dict[str, str] = {}
        found = {one["_id"]: one for one in known.values()}
        async with topic_reader(self.letters.kafka) as reader:
            for letter in sorted(found.values(), key=lambda one: str(one["order"])):
                outcomes.append(await self._replay_one(reader, letter, order, commands))
        return outcomes

    async def _replay_one(
        self, reader: TopicReader, letter: Document, order: ReplayOrder, commands: dict[str, str]
    ) -> ReplayOutcome:
        try:
            check_replayable(letter, order)
            if await self.erased(letter):
                raise ReplayRefused(
                    f"The inquiry {letter['inquiry_id']} is erased, so its records are not published again; discard it."
                )
            if is_input(letter):
                return await self._replay_input(reader, letter, order, commands)
            return await self._replay_to_topic(reader, letter, order)
        except ReplayRefused as refused:
            return ReplayOutcome(id=letter["_id"], outcome="refused", how=str(refused))
        except NothingToReplay as settled:
            return ReplayOutcome(id=letter["_id"], outcome="already", how=str(settled))

    async def erased(self, letter: Document) -> bool:
        """Whether the record must not be shown or replayed, because its inquiry is erased.

        False for an event: it has no words, and the scorer still needs it.
        """
        if letter["inquiry_id"] is None or letter["topic"] == topics.EVENTS:
            return False
        return bool(await self.store.tombstones.through_of([letter["inquiry_id"]]))

    async def _replay_to_topic(self, reader: TopicReader, letter: Document, order: ReplayOrder) -> ReplayOutcome:
        topic = topics.replays(letter["service"])
        record = replay_record(await self._record(reader, letter), letter["replays"] + 1)
        if order.dry_run:
            return ReplayOutcome(id=letter["_id"], outcome="would-replay", how=f"It would be published to {topic}.")
        await self.publisher.publish_raw({topic: [record]})
        await self.letters.mark_replayed(letter, order.by, user=order.who.number)
        return ReplayOutcome(id=letter["_id"], outcome="replayed", how=f"It is published to {topic}.")

    async def _replay_input(
        self, reader: TopicReader, letter: Document, order: ReplayOrder, commands: dict[str, str]
    ) -> ReplayOutcome:
        """Park the input, then enter a `replay` command, which takes it and everything else parked of its inquiry.

        The input is not published again, because inputs of a case must stay in order. In this order of steps a repeat
        after a crash finishes the replay: park, enter the command, mark the dead letter.
        """
        inquiry_id = letter["inquiry_id"]
        if inquiry_id is None:
            raise ReplayRefused("Its key is not an inquiry id, so there is no case that could take it; discard it.")
        parked = {one.record.place: one for one in await self.store.parked.of([inquiry_id])}
        # A parked input may have a decision whose messages could not be published: the command publishes them.
        if letter["place"] not in parked and letter["event_id"] in await self.store.decisions.causes(inquiry_id):
            if not order.dry_run:
                await self.letters.mark_replayed(letter, order.by, user=order.who.number)
            raise NothingToReplay("The core has decided it in the meantime.")
        missing = await self._missing(reader, letter, parked)
        if order.dry_run:
            count = len(parked) + len(missing)
            how = f"A command `replay` for {inquiry_id} would take {count} parked inputs, in order."
            return ReplayOutcome(id=letter["_id"], outcome="would-replay", how=how)
        for one in missing:
            await self.store.parked.add(one)
        earlier = parked.get(letter["place"])
        if discarded := earlier is not None and earlier.discarded:
            await self.store.parked.discard(letter["place"], discarded=False)
        if missing or discarded or inquiry_id not in commands:
            # The core may have decided an earlier command of this request before this input was parked.
            given = CaseReplay(inquiry_id=inquiry_id, by=order.by)
            commands[inquiry_id] = await self.commands.enter(inquiry_id, given, ids.new_event_id(), order.who)
        event_id = commands[inquiry_id]
        for other in await self._letters_at({letter["place"], *parked}, inquiry_id):
            if other["_id"] == letter["_id"] or other["status"] == "open":
                await self.letters.mark_replayed(other, order.by, event_id, order.who.number)
        how = f"The command {event_id} takes the parked inputs of {inquiry_id}, in order."
        return ReplayOutcome(id=letter["_id"], outcome="replayed", how=how, event_id=event_id)

    async def _missing(self, reader: TopicReader, letter: Document, parked: Mapping[str, Parked]) -> list[Parked]:
        """The input to park: none when it is parked already, or when it is itself a `replay`, which a new one replaces."""
        if letter["place"] in parked or letter["type"] == CaseReplay.type:
            return []
        record = original(await self._record(reader, letter))
        number = (REPLAYED, str(letter["replays"] + 1).encode())
        numbered = record._replace(headers=[*original_headers(record), number])
        return [Parked(numbered, letter["inquiry_id"], "permanent", letter["reason"])]

    async def _record(self, reader: TopicReader, letter: Document) -> Record:
        record = await self.letters.content(reader, letter)
        if record is None:
            raise ReplayRefused("Its record has expired from the dead-letter topic; discard it.")
        return record

    async def discard(self, id_: str, why: str, by: str, who: StaffUser) -> tuple[Document, str | None]:
        """Discard a dead letter; safe to repeat. Raises Problem 404 or 409. A replay then skips its parked input.

        Returns the dead letter, and its inquiry when other parked inputs still wait for a replay. When none does, this
        enters a `replay` command, so that the inquiry continues at once.
        """
        letter = await self.letters.discard(id_, why, by, who.number)
        inquiry_id = letter["inquiry_id"]
        if letter["place"] is None or not await self.store.parked.discard(letter["place"]):
            return letter, None
        if not all(one.discarded for one in await self.store.parked.of([inquiry_id])):
            return letter, inquiry_id
        given = CaseReplay(inquiry_id=inquiry_id, by=letter["history"][-1]["by"])
        await self.commands.enter(inquiry_id, given, ids.named_id(f"release/{id_}/{len(letter['history'])}"), who)
        return letter, None

    async def _letters_at(self, places: set[str], inquiry_id: str) -> list[Document]:
        found = await find_by(self.letters.letters, "inquiry_id", [inquiry_id])
        return [one for one in found if is_input(one) and one["place"] in places]

    async def refresh(self) -> int:
        """Update the index; returns how many dead letters are unread.

        Also settles replays by command: a dead letter whose command itself became a dead letter is open again.
        """
        unread = await self.letters.refresh()
        async for letter in self.letters.letters.find({"pending": {"$exists": True}}):
            if not await self.store.parked.collection.find_one({"_id": letter["place"]}):
                await self.letters.settle(letter)
            elif await self.letters.of_events([letter["pending"]]):
                await self.letters.settle(letter, status="open")
        return unread


def check_replayable(letter: Document, order: ReplayOrder) -> None:
    """Raises ReplayRefused or NothingToReplay when the index entry alone rules out a replay."""
    last = letter["history"][-1] if letter["history"] else {}
    if letter["status"] == "discarded" and not order.anyway:
        raise ReplayRefused(
            f"{last.get('by')!r} discarded it at {last.get('at')}, because: {last.get('why')} "
            "To replay it nevertheless, use --anyway (`anyway`)."
        )
    if letter["status"] == "replayed" and not order.anyway:
        raise NothingToReplay(f"{last.get('by')!r} replayed it at {last.get('at')}.")
    if letter["place"] is None:
        raise ReplayRefused("It has no headers that name its topic, partition and offset; discard it.")
    if letter["cut"]:
        raise ReplayRefused(f"It was too large to be kept; its record is at {letter['place']}.")
    if letter["topic"] == topics.CITY:
        raise ReplayRefused("A revision of the city is not replayed: apply the city again.")


def is_input(letter: Document) -> bool:
    return str(letter["topic"]) == topics.INPUTS


def replay_record(letter: Record, number: int) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """Key, value and headers of the original record, with its origin and the number of this replay as headers."""
    if letter.value is None and letter.key is None and not original_headers(letter):
        raise ReplayRefused("Its record was not kept, because it could not be unpacked; discard it.")
    origin = [(name, value.encode()) for name in ORIGIN if (value := letter.header(name)) is not None]
    return letter.key, letter.value, [*original_headers(letter), *origin, (REPLAYED, str(number).encode())]


def original_headers(record: Record) -> list[tuple[str, bytes | None]]:
    """The headers of the original record, without those that dead letters and replays add."""
    return [(name, value) for name, value in record.headers if not name.startswith("dl_") and name != REPLAYED]


def unknown(id_: str) -> ReplayOutcome:
    return ReplayOutcome(
        id=id_, outcome="unknown", how=f"There is no dead letter {shown(id_)}; `chorus dead-letters list` shows them."
    )
