"""Erasure in the stores of all services: all texts are deleted and stay deleted, and the facts still verify."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.intake.erasure import erase as erase_at_intake
from services.notifier.erasure import erase as erase_at_the_notifier
from services.router.core.handlers import Core
from services.router.dead_letters.replay import ReplayOrder
from services.router.domain.decision import case_of
from services.router.domain.search.grams import STAFF, gram
from services.router.domain.search.query import terms
from services.router.erasure import erase as erase_at_the_router
from services.router.stores.store import RouterStore
from services.scorer.erasure import erase as erase_at_the_scorer
from shared.contracts.case_commands import CaseAssign
from shared.contracts.inputs import INPUTS
from shared.kafka import topics
from shared.runtime.settings import Settings
from tests.component.erasing import FIRST_KEY, SERVICES, SUPERVISOR, Services, all_services, tell_everything
from tests.component.marks import IDS, Marks, left, stored, text_fields, written_in
from tests.component.searching import fill
from tests.component.staff import OPERATOR
from tests.fakes import header

NEVER_STORED = {"imitated/text", "asked/refused", "invalid/text", "roads/0/by", "roads/3/by"}
NEVER_STORED |= {f"lighting/{number}/by" for number in (4, 8, 9, 12, 14, 16)}
"""Rejected requests, and the departments' own ids, from which the product derives its ids."""
NEVER_STORED |= {f"lighting/{number}/id" for number in (0, 1, 2, 3, 5, 6, 10, 11, 13, 15, 17)}
NEVER_STORED |= {"roads/1/id", "east/0/id"}
NEVER_STORED |= {"late edit/opening", "late edit/closing", "late edit/order"}


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with all_services(settings) as one:
        await tell_everything(one)
        yield one


async def erase_again(one: Services, through: int) -> None:
    """What each service does when it reads of the erasure."""
    await erase_at_intake(one.intake.store, one.intake.ledger, one.inquiry_id, through, one.intake_files)
    await erase_at_the_router(one.router, one.commands, one.letters, one.inquiry_id, through, one.desk_files)
    await fill(one.router)
    await erase_at_the_notifier(one.notifier, one.inquiry_id, through)
    await erase_at_the_scorer(one.scorer, one.inquiry_id, through)


def with_secrets(marks: Marks, documents: dict[str, list[Any]]) -> Marks:
    """The markers, and every salt, digest and fingerprint, which would allow guessing a text."""
    for collection, some in documents.items():
        for one in some:
            for name in {"salt", "digest", "fingerprint"} & one.keys():
                secret = one[name] if isinstance(one[name], str) else bytes(one[name]).hex()
                marks(f"{collection}/{one['_id']}/{name}", secret)
    return marks


def verified(decisions: list[Any]) -> int:
    """Verify the hash chain of the stored lines with SHA-256 and JSON only; returns its length."""
    length, head = 0, None
    for one in sorted(decisions, key=lambda one: int(one["n"])):
        for line in one["facts"]:
            length, value = length + 1, json.loads(line)
            assert (value["sequence"], value["prev"]) == (length, head)
            head = hashlib.sha256(line.encode()).hexdigest()
        assert bytes(one["head"]).hex() == head
    return length


def test_every_text_field_is_covered_by_erasure() -> None:
    found = {kind: set(text_fields(model)) for kind, model in INPUTS.items()}
    assert found["chorus.inquiry.received"] >= {"subject", "contact/phone", "departments"}
    assert found["chorus.part.contributed"] == {"by", "text", "actions/kind", "actions/note"}
    without = [kind for kind, fields in found.items() if not fields]
    assert without == ["chorus.inquiry.link-requested", "chorus.timer.rang"]
    assert not any(field in IDS for fields in found.values() for field in fields)


async def test_every_text_field_of_every_input_had_a_marker(services: Services) -> None:
    await services.erase()
    given = [(one.type, one.payload.model_dump(mode="json")) for one in services.inputs]
    unmarked = [
        f"{kind}: {path}"
        for kind, model in INPUTS.items()
        for path in text_fields(model)
        if not any(
            services.mark.among(text.encode())
            for type_, value in given
            if type_ == kind
            for text in written_in(value, path.split("/"))
        )
    ]
    assert unmarked == []


async def test_the_command_erases_all_texts_in_every_service_and_keeps_the_facts(services: Services) -> None:
    documents = await stored(services.databases)
    marks = with_secrets(services.mark, documents)
    before = left(documents, marks)
    hall = ("notifier.hall", "notifier.hall_versions")
    files = ("intake.files", "router.files")
    words = (
        "intake.ledger",
        "intake.tickets",
        "intake.mails",
        "notifier.deliveries",
        *hall,
        "notifier.subjects",
        *files,
    )
    assert set(before) == {*words, *(f"router.{name}" for name in ("commands", "decisions", "letters", "parked"))}
    assert set(marks.by_place) - set().union(*before.values()) == NEVER_STORED
    case = case_of(services.inquiry_id, await services.router.decisions.of(services.inquiry_id))
    assert (case.state, case.links) == ("closed", ("20260315-0000000B",))
    events = documents["scorer.events"]

    assert services.core.waits(services.inputs[-1]) is not None, "an input is parked"
    await services.erase()
    assert services.core.waits(services.inputs[-1]) is None, "the command passes the parked input"

    documents = await stored(services.databases)
    assert left(documents, marks) == {}
    assert [one for one in services.folder.rglob("*") if one.is_file()] == []
    erased = case_of(services.inquiry_id, await services.router.decisions.of(services.inquiry_id))
    assert (erased.state, erased.n, erased.links) == ("erased", case.n + 1, case.links)
    assert verified(documents["router.decisions"]) == erased.sequence == len(documents["scorer.events"])
    assert [one for one in documents["scorer.events"] if one in events] == events
    assert (await services.core.store.decisions.load([services.inquiry_id]))[services.inquiry_id] == erased
    gone = (
        "router.parked",
        "intake.mails",
        *(f"notifier.{name}" for name in ("hall", "hall_versions", "subjects", "threads", "addresses", "limits")),
    )
    assert {name: len(documents.get(name, [])) for name in gone} == dict.fromkeys(gone, 0)
    assert not any(one["thread"] for one in documents["notifier.deliveries"])
    assert {one["state"] for one in documents["notifier.deliveries"]} == {"sent", "failed", "cancelled"}
    entry = {"_id", "n", "type", "recorded_at", "inquiry_id", "source", "actor"}
    assert {frozenset(one) for name in ("intake.ledger", "router.commands") for one in documents[name]} == {
        frozenset(entry),
        frozenset(entry | {"user"}),
    }
    tombstone = {"_id": services.inquiry_id, "through": erased.n}
    assert [documents[f"{name}.tombstones"] for name in SERVICES] == [[tombstone]] * 4
    await erase_again(services, erased.n)
    await erase_again(services, 1)
    await services.read()
    assert await stored(services.databases) == documents


SEARCHED = {"received/subject", "received/body", "replied/text", "asked/text", "ask/text", "added/answer", "added/more"}
SEARCHED |= {
    "contributed/again",
    "delegated/contributed",
    "edit/opening",
    "edit/closing",
    "corrected/text",
    "again/text",
}
SEARCHED |= {"rated/1/words", "rated/2/words", "closed/why"}
"""The texts that the search index has. The first contribution was replaced before a release; the second was released."""


async def test_the_search_index_has_texts_that_may_be_found_until_the_erasure(services: Services) -> None:
    def indexed(documents: dict[str, list[Any]]) -> set[str]:
        numbers = {number for one in documents["router.search"] for number in one["grams"]}
        audiences = (STAFF, "lighting", "roads", "water", "parks", "noise")
        return {
            place
            for place, text in services.mark.by_place.items()
            if any(gram(audience, one) in numbers for audience in audiences for one in terms(text) if len(one) == 8)
        }

    assert indexed(await stored(services.databases)) == SEARCHED
    await services.erase()
    documents = await stored(services.databases)
    assert (documents["router.search"], indexed(documents)) == ([], set())
    await services.read()
    assert (await stored(services.databases))["router.search"] == []


async def test_reading_old_messages_again_restores_no_text(services: Services) -> None:
    await services.erase()
    documents = await stored(services.databases)
    before = len(services.publisher.records)

    another = Core(RouterStore(services.databases["router"]), services.city)
    inputs = [one._replace(at=one.at._replace(partition=1)) for one in services.inputs if one.id not in services.parked]
    await services.publisher.publish(await another.decide_inputs(inputs))
    said = services.publisher.records[before:]
    wordless = {
        topics.EVENTS,
        topics.RESIDENTS,
        *(topics.inbox(one) for one in ("lighting", "roads", "water", "parks", "noise", "east")),
    }
    assert {topic for topic, _ in said} == wordless, "the messages of the erasure itself, and all events"
    assert {header(row, "ce_type") for topic, row in said if topic not in (topics.EVENTS, topics.RESIDENTS)} == {
        "chorus.part.erased"
    }
    assert services.mark.among(b"\n".join(value or b"" for _, (_, value, _) in said)) == set()
    await services.read()
    await services.core.park(services.log[-1], services.inputs[-1], "exhausted", "again")
    assert services.core.waits(services.inputs[-1]) is None
    assert await stored(services.databases) == documents

    views = {"intake": ("tickets",), "notifier": ("deliveries", "hall"), "router": ("letters", "letters_read")}
    for name, collections in views.items():
        for collection in collections:
            await services.databases[name][collection].delete_many({})
    await services.read()
    await services.letters.refresh()
    documents = await stored(services.databases)
    assert left(documents, services.mark) == {}
    told = {one.header("ce_id") for one in services.records(topics.RESIDENTS)}
    assert {one["_id"] for one in documents["intake.tickets"]} == told
    assert (documents["notifier.deliveries"], documents["notifier.hall"]) == ([], [])
    assert len(documents["router.letters"]) == 2


async def test_an_erased_ticket_shows_dates_only_and_its_dead_letters_are_not_replayed(services: Services) -> None:
    await services.erase()
    seen = (await services.intake.look(services.inquiry_id, services.code)).json()
    assert (seen["state"], seen["subject"], seen["body"], seen["reply"]) == ("erased", "", "", None)
    assert services.mark.among(str(seen).encode()) == set()
    assert seen["timeline"][-1]["at"] == seen["erasure"]["erased_at"]
    assert seen["erasure"]["erased_at"] < seen["erasure"]["kafka_until"] < seen["erasure"]["backups_until"]
    assert (await services.intake.look(services.inquiry_id, "WRONGWRONG22")).status_code == 404
    again = await services.intake.write({"Idempotency-Key": FIRST_KEY}, body="another body")
    assert (again.status_code, again.json()["inquiry_id"]) == (202, services.inquiry_id)
    letters = [f"{services.letters_of}-{number}" for number in range(2)]
    for outcome in await services.replaying.replay(letters, ReplayOrder(OPERATOR, "li", anyway=True)):
        assert (outcome.outcome, "is erased" in outcome.how) == ("refused", True)


async def test_a_case_in_the_cache_of_another_process_brings_no_word_back(services: Services) -> None:
    another = Core(RouterStore(services.databases["router"]), services.city)
    await services.knock("lighting", "chorus.part.accepted", 1)
    await services.publisher.publish(await another.decide_inputs([services.inputs[-1]]))
    services.decided += 1
    cached = (await another.store.decisions.load([services.inquiry_id]))[services.inquiry_id]
    assert cached.inquiry is not None
    assert services.mark.among(cached.inquiry.body.text.encode()) != set()
    await services.erase()
    before, documents = len(services.publisher.records), await stored(services.databases)
    await services.knock("lighting", "chorus.part.contributed", 1, text=services.mark("late/text"))
    await services.publisher.publish(await another.decide_inputs([services.inputs[-1]]))
    services.decided += 1
    said = [row for topic, row in services.publisher.records[before:] if topic != topics.INPUTS]
    assert [header(one, "ce_type") for one in said] == ["chorus.message.refused"]
    assert services.mark.among(said[0][1] or b"") <= {"lighting/18/id", "lighting/19/id"}
    after = await stored(services.databases)
    without_messages = [{**one, "messages": []} for one in after["router.decisions"]]
    # The refusal for the department has its own id; like every message it is deleted once it is published.
    assert left({"decisions": without_messages}, services.mark) == {}
    [last] = [one for one in after["router.decisions"] if one not in documents["router.decisions"]]
    assert (last["refusal"], last.keys() & {"salt", "digest"}) == ("erased", set())


async def test_a_command_after_the_erasure_is_refused_and_leaves_nothing(services: Services) -> None:
    await services.erase()
    await services.enter(CaseAssign, SUPERVISOR, lead=services.mark("late/lead"))
    [entry] = await services.commands.entries.find({"type": CaseAssign.type}).sort("n", -1).to_list(1)
    status = await services.desk.status(entry["_id"], SUPERVISOR)
    assert (status["status"], "is erased" in status["reason"]) == ("refused", True)
    assert left(await stored(services.databases), services.mark) == {}
