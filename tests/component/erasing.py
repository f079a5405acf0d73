"""One inquiry with a marker in every text field, sent through all four services."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from services.intake.handlers import TicketUpdates
from services.intake.mail_store import KeptFile
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices
from services.notifier.handlers import read as read_for_notices
from services.notifier.store import NotifierStore
from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.replay import DeadLetterReplay
from services.router.desk.case_list import CaseList, read_row
from services.router.desk.commands import Commands
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Input, case_of
from services.router.domain.staff import StaffUser
from services.router.erasure import CaseEvents
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import read_outbox
from services.router.stores.store import RouterStore
from services.scorer.handlers import Events
from services.scorer.store import ScorerStore
from shared.city import City
from shared.contracts.case_commands import (
    CaseApprove,
    CaseArbitrate,
    CaseAssign,
    CaseAssignFirstReceiver,
    CaseClose,
    CaseErase,
    CaseHide,
    CaseLink,
    CasePublish,
    CaseReassign,
    CaseRecallPart,
    CaseRedact,
    CaseRefuse,
    CaseRefuseRelease,
    CaseReplay,
    CaseRetract,
    CaseWithdrawPart,
)
from shared.contracts.envelope import Payload
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension
from shared.contracts.questions import CaseAsk
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.dead_letters import dead_letter
from shared.kafka.publisher import Publisher
from shared.kafka.records import Record
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import read_event, read_told
from shared.store.mongo import Database, close, connect
from tests.builders import CITY, a_record
from tests.component import file_services
from tests.component.conftest import in_background
from tests.component.file_services import sent_file
from tests.component.marks import Marks
from tests.component.searching import fill
from tests.component.staff import OPERATOR, OTHERS
from tests.component.test_intake import BEARER, Intake
from tests.fakes import FakePublisher, MaskerInProcess
from tests.mailing import KEYS
from tests.releasing import hash_of, releasing_city
from tests.sample_files import photo

SERVICES = ("intake", "router", "notifier", "scorer")
FILLING = "请尽快处理，谢谢。" * 5
AT = "2026-03-16T05:00:00Z"
APPROVER, SUPERVISOR = (next(one for one in OTHERS if one.role == role) for role in ("approver", "supervisor"))


# ── the services ─────────────────────────────────────────────────────────────


FIRST_KEY = "the key of the first message"


class Services:
    """All four services, each with its database; published messages are kept and read when a test asks."""

    def __init__(self, databases: Mapping[str, Database], settings: Settings, folder: Path) -> None:
        self.databases, self.settings, self.publisher, self.folder = databases, settings, FakePublisher(), folder
        self.mark = Marks()
        self.intake_files = file_services.of_intake(databases["intake"], folder)
        self.desk_files = file_services.of_desk(databases["router"], folder)
        self.intake = Intake(databases["intake"], self.publisher, settings, self.intake_files)
        self.router = RouterStore(databases["router"])
        self.commands = Ledger(databases["router"], "commands")
        self.desk = Commands(self.router, self.commands, self.desk_files)
        self.city: CityFeed[CityIndex] = CityFeed(city_index)
        self.city.use(CITY)
        self.core = Core(self.router, self.city)
        self.letters_of = f"router{uuid4().hex[:8]}"
        self.letters = DeadLetterIndex(databases["router"], Connection.of(settings), (self.letters_of,))
        self.case_events = CaseEvents(CaseList(self.router), self.commands, self.letters, self.desk_files)
        self.replaying = DeadLetterReplay(self.letters, self.router, self.publisher, self.desk)
        self.notifier, self.scorer = NotifierStore(databases["notifier"], KEYS), ScorerStore(databases["scorer"])
        city: CityFeed[City] = CityFeed(lambda revision: revision)
        city.use(CITY)
        self.notices = Notices(self.notifier, city, self._up_to_date)
        self.masking = HallMasking(self.notifier, city, MaskerInProcess())
        self.inquiry_id = self.code = ""
        self.numbers: dict[str, int] = {}
        self.parked: set[str] = set()
        self.decided = self.entered = 0

    async def _up_to_date(self) -> bool:
        return False

    @property
    def log(self) -> list[Record]:
        """All inputs of the case."""
        rows = self.publisher.on(topics.INPUTS)
        return [a_record(value, headers, key=key, offset=at) for at, (key, value, headers) in enumerate(rows)]

    def records(self, topic: str) -> list[Record]:
        """All records of a topic that the core writes."""
        rows = self.publisher.on(topic)
        return [
            a_record(value, headers, topic=topic, key=key, offset=at) for at, (key, value, headers) in enumerate(rows)
        ]

    @property
    def inputs(self) -> list[Input]:
        """All inputs, as decoded by the core."""
        return [read_input(one) for one in self.log]

    async def decide(self) -> None:
        """Decide new inputs, and let all readers read the messages that follow."""
        given = self.inputs[self.decided :]
        self.decided += len(given)
        await self.publisher.publish(await self.core.decide_inputs(given))
        await self.read()

    async def read(self) -> None:
        """Let all readers read all published messages from the beginning."""
        told, events = self.records(topics.RESIDENTS), self.records(topics.EVENTS)
        updates = TicketUpdates(self.intake.store, self.intake.ledger, self.intake_files)
        await updates.save([one for one in map(read_told, told) if one])
        await self.notices.take([one for one in map(read_for_notices, [*told, *events]) if one])
        await self.masking.mask_waiting()
        await Events(self.scorer).take([read_event(one) for one in events])
        await self.case_events.follow([read_row(one) for one in events])
        await fill(self.router)

    async def put_aside(self, record: Record, kind: str, reason: str) -> None:
        """Write a dead letter of the router, and let the desk read it."""
        kafka = Publisher(self.settings.kafka, "try")
        letter = dead_letter("router", record, kind, reason, 1)
        await kafka.publish_raw({topics.dead_letters(self.letters_of): [letter]})
        await kafka.stop()
        await self.letters.refresh()

    # ── what people write ────────────────────────────────────────────────────

    async def on_the_log(self) -> None:
        """Wait until the relay has published one more entry, then decide it."""
        self.entered += 1
        await self.publisher.until(self.decided + 1, topics.INPUTS)
        await self.decide()

    async def submit(self) -> None:
        """Send the resident's message; intake knows no directory, so any department may be named."""
        mark, place = self.mark, "received/"
        contact = {"name": mark(place + "name"), "phone": mark(place + "phone", "13900990077")}
        contact["email"] = f"{mark(place + 'email')}@mail.example"
        named = {name: mark(place + name) for name in ("subject", "channel", "area")}
        body = FILLING + mark(place + "body")
        file = await self.resident_file(place + "file")
        more = {"contact": contact, "departments": [mark(place + "departments")], "public": True, "files": [file]}
        more["account"] = mark(place + "account")
        more["entered_by"] = {"user": 7, "role": "clerk", "name": mark(place + "entered_by")}
        answer = await self.intake.write({"Idempotency-Key": FIRST_KEY, **BEARER}, body=body, **named, **more)
        assert answer.status_code == 202, answer.text
        self.inquiry_id, self.code = answer.json()["inquiry_id"], answer.json()["query_code"]
        await self.on_the_log()

    async def keep_mail(self) -> None:
        """Keep the original of a mail that became part of the inquiry."""
        store, raw = self.intake.store.mails, f"Subject: x\r\n\r\n{self.mark('mail/raw')}".encode()
        await store.add("a mail", raw, [KeptFile(self.mark("mail/file"), "image/jpeg")], timestamps.now())
        await store.assign("a mail", self.inquiry_id, "event-of-mail")

    async def rate(self, round_: int, *, solved: bool) -> None:
        """Rate the reply of a round."""
        words = FILLING + self.mark(f"rated/{round_}/words")
        rating = {"round": round_, "solved": solved, "satisfied": "yes", "words": words}
        where = f"/inquiries/{self.inquiry_id}/rating"
        answer = await self.intake.http.post(where, json=rating, headers={"X-Query-Code": self.code})
        assert answer.status_code == 202, answer.text
        await self.on_the_log()

    async def withdraw_too_late(self) -> None:
        """Withdraw the message, when the answer is on the log and intake does not know it yet."""
        where, why = f"/inquiries/{self.inquiry_id}/withdrawal", {"why": self.mark("withdrawal/why")}
        answer = await self.intake.http.post(where, json=why, headers={"X-Query-Code": self.code})
        assert answer.status_code == 202, answer.text
        await self.publisher.until(self.decided + 2, topics.INPUTS)
        await self.decide()

    async def erase(self) -> None:
        """Erase the inquiry by the command, which every service then reads of."""
        await self.command(CaseErase, SUPERVISOR, why=FILLING + self.mark("erase/why"))

    async def add(self, place: str) -> None:
        """Add words to the ticket."""
        where = f"/inquiries/{self.inquiry_id}/additions"
        body = {"text": FILLING + self.mark(place), "files": [await self.resident_file(f"{place}/file")]}
        answer = await self.intake.http.post(where, json=body, headers={"X-Query-Code": self.code})
        assert answer.status_code == 202, answer.text
        await self.on_the_log()

    async def resident_file(self, place: str) -> str:
        """The id of a file that the resident sends; its name is a marker, and its content is like no other one."""
        size = (80 + len(self.mark.by_place), 40)
        stored = await self.intake_files.take(sent_file(photo(size=size), f"{self.mark(place)}.jpg"))
        return stored.file_id

    async def desk_file(self, place: str, department: str) -> str:
        """The id of a file that a clerk of this department sends."""
        size = (80, 40 + len(self.mark.by_place))
        clerk = replace(OPERATOR, department=department)
        return (await self.desk_files.take(sent_file(photo(size=size), f"{self.mark(place)}.jpg"), clerk)).file_id

    async def request_link(self) -> None:
        """Ask for the link to the ticket."""
        answer = await self.intake.http.post(f"/inquiries/{self.inquiry_id}/link-request")
        assert answer.status_code == 202, answer.text
        await self.on_the_log()

    async def report(self) -> None:
        """Report the entry in the hall."""
        body = {"words": self.mark("reported/words")}
        answer = await self.intake.http.post(f"/inquiries/{self.inquiry_id}/hall-report", json=body)
        assert answer.status_code == 202, answer.text
        await self.on_the_log()

    async def command(self, kind: type[Payload], who: StaffUser | None = None, **fields: Any) -> None:
        """Send an operator's command, or that of another user; `by` is a marker too."""
        await self.enter(kind, who, **fields)
        await self.on_the_log()

    async def enter(self, kind: type[Payload], who: StaffUser | None = None, **fields: Any) -> None:
        """Enter a command, without waiting for its decision."""
        place = f"{kind.__name__}/{len(self.publisher.on(topics.INPUTS))}"
        given = kind(inquiry_id=self.inquiry_id, by=self.mark(f"{place}/by"), **fields)
        await self.desk.enter(self.inquiry_id, given, f"command-{place}", who)

    async def knock(self, department: str, kind: str, part: int, id_: str | None = None, **fields: Any) -> Record:
        """Write a department's message with its own id and name; returns the record."""
        number = self.numbers[department] = self.numbers.get(department, -1) + 1
        place = f"{department}/{number}"
        value = {"part_id": f"{self.inquiry_id}-p{part}", "by": self.mark(f"{place}/by"), **fields}
        headers = [("ce_type", kind.encode()), ("ce_id", (id_ or self.mark(f"{place}/id")).encode())]
        content = json.dumps(value, ensure_ascii=False).encode()
        record = a_record(content, headers, topic=topics.outbox(department), offset=number)
        await self.publisher.publish(await Gate(self.router, self.city, self.desk_files).let_in([read_outbox(record)]))
        return record

    async def department(self, *given: Any, **fields: Any) -> None:
        """Write a department's message and decide it."""
        await self.knock(*given, **fields)
        await self.decide()


async def tell_everything(one: Services) -> None:
    """Send every type of input; some are refused, parked or become dead letters."""
    mark = one.mark
    await one.submit()
    await one.keep_mail()
    await one.command(CaseAssign, lead=mark("assign/lead"), co_handlers=(mark("assign/co"),))
    await one.command(CaseAssign, lead="lighting", co_handlers=("roads", "water"))
    await one.department("lighting", "chorus.part.accepted", 1)
    await one.department("lighting", "chorus.part.replied", 1, text=FILLING + mark("replied/text"))
    await one.department("lighting", "chorus.part.contributed", 1, text=mark("draft/text"), final=False)
    unknown = mark("returned/suggest")
    await one.department("roads", "chorus.part.returned", 2, reason="not-ours", suggest=unknown)
    returned = {name: mark(f"returned/{name}") for name in ("reason", "words")}
    await one.department("roads", "chorus.part.returned", 2, suggest="water", **returned)
    why = FILLING + mark("recalled/why")
    await one.command(
        CaseRecallPart, part_id=f"{one.inquiry_id}-p3", reason=mark("recalled/reason", "markreason"), why=why
    )
    await one.command(CaseAssign, lead="lighting", co_handlers=("parks",))
    await move_parts(one)
    await ask_and_extend(one)
    action = {"kind": mark("action/kind"), "at": AT, "note": FILLING + mark("action/note")}
    contribution = {"text": FILLING + mark("contributed/text"), "actions": [action]}
    contribution["files"] = [await one.desk_file("contributed/file", "lighting")]
    await one.department("lighting", "chorus.part.contributed", 1, mark("contributed/id"), **contribution)
    await one.department("lighting", "chorus.part.contributed", 1, mark("contributed/id"), text=mark("imitated/text"))
    one.city.use(with_office_of_lighting(releasing_city(1, revision=2)))
    await one.command(CaseWithdrawPart, part_id=f"{one.inquiry_id}-p5", why=FILLING + mark("withdrawn/why"))
    await release(one)
    refusal: dict[str, Any] = {name: FILLING + mark(f"refuse/{name}") for name in ("words", "instead")}
    await one.command(CaseRefuse, reason="no-clear-request", **refusal)
    await one.command(CaseLink, linked_to="20260315-0000000B")
    await one.command(CaseReplay)
    one.city.use(releasing_city(0, revision=3))
    await change_what_is_released(one)
    await one.rate(1, solved=False)
    await one.department("lighting", "chorus.part.contributed", 7, text=FILLING + mark("again/text"))
    await one.rate(2, solved=True)
    await one.command(CaseClose, why=FILLING + mark("closed/why"))
    await one.request_link()
    await some_mails(one)
    await one.knock("roads", "chorus.part.replied", 2, text=mark("parked/text"))
    await one.core.park(one.log[-1], one.inputs[-1], "exhausted", f"ValueError({mark('parked/reason')})")
    one.parked.add(one.inputs[-1].id)
    await one.put_aside(one.log[-1], "exhausted", "ValueError()")
    one.decided += 1
    invalid = await one.knock("roads", mark("invalid/type"), 2, text=mark("invalid/text"))
    await one.put_aside(invalid, "permanent", f"It says {mark('invalid/reason')}.")
    await one.replaying.discard(f"{one.letters_of}-1", mark("discarded/why"), mark("discarded/by"), OPERATOR)


async def move_parts(one: Services) -> None:
    """Reassign the part of the parks bureau; what else moves parts is refused."""
    mark, part_id = one.mark, f"{one.inquiry_id}-p4"
    await one.command(CaseReassign, part_id=part_id, to=mark("reassign/to"), words=mark("reassign/refused"))
    await one.command(CaseReassign, part_id=part_id, to="noise", words=FILLING + mark("reassign/words"))
    departments: dict[str, Any] = {"lead": mark("arbitrate/lead"), "co_handlers": (mark("arbitrate/co"),)}
    await one.command(CaseArbitrate, words=mark("arbitrate/words"), **departments)
    await one.command(CaseAssignFirstReceiver)


def with_office_of_lighting(city: City) -> City:
    departments = [
        one.model_copy(update={"parent": "lighting"}) if one.code == "east" else one for one in city.departments
    ]
    return city.model_copy(update={"departments": tuple(departments)})


async def release(one: Services) -> None:
    """Edit the reply that waits, refuse it, delegate, write it again, and approve it; a stale approval is refused."""
    mark, edit = one.mark, ("lighting", "chorus.reply.edit", 1)
    await one.department(*edit, inquiry_id=one.inquiry_id, order=[mark("edit/order")])
    frame = {name: FILLING + mark(f"edit/{name}") for name in ("opening", "closing")}
    await one.department(*edit, inquiry_id=one.inquiry_id, **frame)
    await one.command(CaseRefuseRelease, words=FILLING + mark("refuse-release/words"))
    delegating = ("lighting", "chorus.part.delegated", 1)
    await one.department(*delegating, to=["east"], text=FILLING + mark("delegated/text"))
    await one.department(*delegating, to=[mark("delegated/to")])
    await one.department("east", "chorus.part.contributed", 6, text=FILLING + mark("delegated/contributed"))
    await one.department("lighting", "chorus.part.contributed", 1, text=FILLING + mark("contributed/again"))
    await one.command(CaseApprove, APPROVER, text_hash=mark("approve/stale", "5ca1ab1e" * 8))
    case = case_of(one.inquiry_id, await one.router.decisions.of(one.inquiry_id))
    await one.enter(CaseApprove, APPROVER, text_hash=mark("approve/text_hash", hash_of(case)))
    await one.publisher.until(one.decided + 1, topics.INPUTS)
    await one.withdraw_too_late()
    await one.department("lighting", "chorus.reply.go-ahead", 1, inquiry_id=one.inquiry_id)


async def ask_and_extend(one: Services) -> None:
    """A department and the desk ask, the resident answers; a department asks for more time twice."""
    mark, part_id, later = one.mark, f"{one.inquiry_id}-p1", "2099-01-01T00:00:00Z"
    await one.department("lighting", "chorus.part.asked", 1, text=FILLING + mark("asked/text"))
    await one.department("lighting", "chorus.part.asked", 1, text=mark("asked/refused"))
    await one.command(CaseAsk, text=FILLING + mark("ask/text"))
    await one.add("added/answer")
    await one.add("added/more")
    for number in (1, 2):
        reason = FILLING + mark(f"extension/{number}/reason")
        await one.department("lighting", "chorus.part.extension-asked", 1, until=later, reason=reason)
        if number == 1:
            await one.command(CaseRefuseExtension, part_id=part_id, reason=FILLING + mark("extension/refused"))
    await one.command(CaseExtend, part_id=part_id)
    await one.command(CaseRefuseExtension, part_id=part_id, reason=mark("extension/refused again"))


async def change_what_is_released(one: Services) -> None:
    """Correct, retract, publish, report, redact and hide."""
    mark = one.mark
    await one.department("lighting", "chorus.part.corrected", 1, text=FILLING + mark("corrected/text"))
    await one.command(CaseApprove, text_hash=mark("approve/hash", "c3" * 32))
    await one.command(CaseRefuseRelease, words=mark("late refusal/words"))
    edit = {name: mark(f"late edit/{name}") for name in ("opening", "closing")}
    await one.department(
        "lighting", "chorus.reply.edit", 1, inquiry_id=one.inquiry_id, order=[mark("late edit/order")], **edit
    )
    await one.command(CaseRetract, words=FILLING + mark("retract/words"))
    shown = await one.notifier.versions.reviewed(one.inquiry_id)
    assert shown is not None
    await one.command(CasePublish, text_hash=mark("publish/hash", shown.newest.sha256), why=mark("publish/why"))
    await one.report()
    read: dict[str, Any] = {"text_hash": mark("redact/hash", "a1" * 32)}
    await one.command(CaseRedact, find=mark("redact/find"), why=mark("redact/why"), **read)
    await one.command(CaseHide, why=FILLING + mark("hide/why"), text_hash=mark("hide/hash", "b2" * 32))
    await one.command(CasePublish, text_hash=shown.newest.sha256, why=mark("publish/again"))


async def some_mails(one: Services) -> None:
    """One mail of the resident fails, one is retried, one is sent, and the address confirms."""
    mails, now = one.notifier.mails, timestamps.now()
    errors = f"550 {one.mark('mail/refused')}", f"451 {one.mark('mail/later')}"
    [[thread, (first, second, third, *_)]] = await mails.claim(now, "resident", 10)
    await mails.failed(thread, [first], True, errors[0], now)
    [[thread, _]] = await mails.claim(timestamps.now(), "resident", 10)
    await mails.sent(thread, [third], True, now)
    [[thread, _]] = await mails.claim(timestamps.now(), "resident", 10)
    await mails.retry_at(thread, [second], now, errors[1], True)
    await one.notifier.addresses.confirm(thread.address, now)
    await one.notifier.addresses.take_slot(thread.mailbox, first.id, now, 5)


@asynccontextmanager
async def all_services(settings: Settings) -> AsyncIterator[Services]:
    """The services with new databases and a new dead-letter topic."""
    prefix = f"test_{uuid4().hex[:12]}"
    databases = {name: connect(settings.mongodb, f"{prefix}_{name}") for name in SERVICES}
    folder = Path(mkdtemp())
    one = Services(databases, settings, folder)
    await create_topics(settings.kafka, [Topic(topics.dead_letters(one.letters_of), 1, 1)], 1)
    for store in (one.intake.store, one.intake.ledger, one.router, one.commands, one.letters, one.notifier, one.scorer):
        await store.prepare()
    loops = [
        loop
        for book in (one.intake.ledger, one.commands)
        for loop in (book.write_groups, Relay(book, one.publisher).publish_fresh)
    ]
    async with one.intake.http, in_background(*loops):
        yield one
    rmtree(folder)
    for database in databases.values():
        await database.client.drop_database(database.name)
        await close(database)
