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
from services.router.domain.case import Case
from services.router.domain.decision import case_of
from services.router.domain.search.grams import SHARED, STAFF, gram
from services.router.domain.search.query import terms
from services.router.erasure import erase as erase_at_the_router
from services.router.stores.store import RouterStore
from services.scorer.erasure import erase as erase_at_the_scorer
from shared.contracts.inputs import INPUTS
from shared.kafka import topics
from shared.runtime.settings import Settings
from tests.component.erasing import FIRST_KEY, SERVICES, Services, all_services, tell_everything
from tests.component.marks import IDS, Marks, left, stored, text_fields, written_in
from tests.component.searching import fill
from tests.component.staff import OPERATOR

NEVER_STORED = {"imitated/text", "lighting/4/by", "invalid/text", "roads/0/by", "roads/3/by"}
"""Rejected requests, and the departments' own ids, from which the product derives its ids."""
NEVER_STORED |= {"lighting/0/id", "lighting/1/id", "lighting/2/id", "roads/1/id"}


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with all_services(settings) as one:
        await tell_everything(one)
        yield one


async def erase(one: Services, through: int) -> None:
    await erase_at_intake(one.intake.store, one.intake.ledger, one.inquiry_id, through)
    await erase_at_the_router(one.router, one.commands, one.letters, one.inquiry_id, through)
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


def without_texts(case: Case) -> Any:
    """All fields of a case that come from its facts."""
    parts = [part._replace(text=None, draft=None, returned=None) for part in case.parts.values()]
    causes = {id_: one._replace(digest=None) for id_, one in case.causes.items()}
    inquiry = case.inquiry and (case.inquiry.public, case.inquiry.language, case.inquiry.received_at)
    return case.n, case.sequence, case.head, case.state, case.round, case.rated, parts, causes, inquiry


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


async def test_erasure_keeps_facts_and_deletes_all_texts(services: Services) -> None:
    documents = await stored(services.databases)
    marks = with_secrets(services.mark, documents)
    before = left(documents, marks)
    words = ("intake.ledger", "intake.tickets", "notifier.deliveries", "notifier.hall", "notifier.subjects")
    assert set(before) == {*words, *(f"router.{name}" for name in ("commands", "decisions", "letters", "parked"))}
    assert set(marks.by_place) - set().union(*before.values()) == NEVER_STORED
    case = case_of(services.inquiry_id, await services.router.decisions.of(services.inquiry_id))
    assert case.state == "answered"
    events = documents["scorer.events"]

    await erase(services, case.n)

    documents = await stored(services.databases)
    assert left(documents, marks) == {}
    assert verified(documents["router.decisions"]) == case.sequence == len(events)
    assert documents["scorer.events"] == events
    erased = case_of(services.inquiry_id, await services.router.decisions.of(services.inquiry_id))
    assert without_texts(erased) == without_texts(case)
    gone = ("router.parked", *(f"notifier.{name}" for name in ("hall", "subjects", "threads", "addresses", "limits")))
    assert {name: len(documents.get(name, [])) for name in gone} == dict.fromkeys(gone, 0)
    assert not any(one["thread"] for one in documents["notifier.deliveries"])
    assert {one["state"] for one in documents["notifier.deliveries"]} == {"sent", "failed", "cancelled"}
    entry = {"_id", "n", "type", "recorded_at", "inquiry_id", "source", "actor"}
    assert {frozenset(one) for name in ("intake.ledger", "router.commands") for one in documents[name]} == {
        frozenset(entry)
    }
    tombstone = {"_id": services.inquiry_id, "through": case.n}
    assert [documents[f"{name}.tombstones"] for name in SERVICES] == [[tombstone]] * 4
    await erase(services, case.n)
    await erase(services, 1)
    assert await stored(services.databases) == documents


SEARCHED = {"received/subject", "received/body", "replied/text", "contributed/text"}
"""The texts that the search index has; the joint reply has the contribution once more."""


async def test_the_search_index_has_texts_that_may_be_found_until_the_erasure(services: Services) -> None:
    def indexed(documents: dict[str, list[Any]]) -> set[str]:
        numbers = {number for one in documents["router.search"] for number in one["grams"]}
        audiences = (SHARED, STAFF, "lighting", "roads", "water", "parks", "noise")
        return {
            place
            for place, text in services.mark.by_place.items()
            if any(gram(audience, one) in numbers for audience in audiences for one in terms(text) if len(one) == 8)
        }

    assert indexed(await stored(services.databases)) == SEARCHED
    await erase(services, len(await services.router.decisions.of(services.inquiry_id)))
    documents = await stored(services.databases)
    assert (documents["router.search"], indexed(documents)) == ([], set())
    await services.read()
    assert (await stored(services.databases))["router.search"] == []


async def test_reading_old_messages_again_restores_no_text(services: Services) -> None:
    through = len(await services.router.decisions.of(services.inquiry_id))
    await erase(services, through)
    documents = await stored(services.databases)
    before = len(services.publisher.records)

    another = Core(RouterStore(services.databases["router"]), services.city)
    inputs = services.inputs[: services.decided]
    inputs = [one._replace(at=one.at._replace(partition=1)) for one in inputs[:-1]]
    await services.publisher.publish(await another.decide_inputs(inputs))
    said = services.publisher.records[before:]
    assert {topic for topic, _ in said} == {topics.EVENTS}
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


async def test_an_erased_inquiry_is_404_and_its_dead_letters_are_not_replayed(
    services: Services,
) -> None:
    await erase(services, len(await services.router.decisions.of(services.inquiry_id)))
    erased, unknown = [
        await services.intake.look(id_, services.code) for id_ in (services.inquiry_id, "20260316-ZZZZZZZZ")
    ]
    assert (erased.status_code, erased.json()) == (404, unknown.json())
    again = await services.intake.write({"Idempotency-Key": FIRST_KEY}, body="another body")
    assert (again.status_code, again.json()["inquiry_id"]) == (202, services.inquiry_id)
    letters = [f"{services.letters_of}-{number}" for number in range(2)]
    for outcome in await services.replaying.replay(letters, ReplayOrder(OPERATOR, "li", anyway=True)):
        assert (outcome.outcome, "is erased" in outcome.how) == ("refused", True)
