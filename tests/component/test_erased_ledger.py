"""Ledger entries of an erased inquiry are neither published nor reported as missing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.cli.operations import reconcile
from shared.http.problems import Problem
from shared.kafka import topics
from shared.ledger import ledger, relay
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.relay import Relay
from shared.service import reconciliation
from shared.store.mongo import Database
from tests.builders import INQUIRY, MONDAY_NOON
from tests.component.conftest import in_background
from tests.component.test_reconcile import Services, entry
from tests.component.town import Chorus, Town
from tests.fakes import FakePublisher
from tests.patience import PATIENCE_S

OTHER = "20260316-0000000B"


@pytest.fixture
async def book(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    """A ledger with two unpublished inputs of one inquiry and one of another."""
    monkeypatch.setattr(ledger, "LEASE_S", 0.05)
    monkeypatch.setattr(relay, "RELAY_EVERY_S", 0.01)
    one = Ledger(database, "ledger")
    await one.prepare()
    async with in_background(one.write_groups):
        for inquiry_id, n in ((INQUIRY, 0), (INQUIRY, 1), (OTHER, 0)):
            kind = "chorus.inquiry.rated" if n else "chorus.inquiry.received"
            await one.accept(
                Entry(f"{inquiry_id}/{n}", inquiry_id, n, kind, MONDAY_NOON, "{}", "f", "door", "resident")
            )
        yield one


async def test_the_relay_skips_erased_entries_and_deletes_their_notes(book: Ledger, publisher: FakePublisher) -> None:
    await book.erase(INQUIRY)
    async with in_background(Relay(book, publisher).run):
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await book.unpublished.count_documents({}):
                await asyncio.sleep(0.01)
    assert publisher.ids() == [f"{OTHER}/0"]


async def test_an_entry_erased_while_the_relay_works_is_not_published(book: Ledger, publisher: FakePublisher) -> None:
    await book.unpublished.delete_many({"entries": f"{INQUIRY}/0"})
    await book.erase(INQUIRY)
    await book.fresh.get()  # the first message of the inquiry, published before
    async with in_background(Relay(book, publisher).publish_fresh):
        await publisher.until(1, topics.INPUTS)
    assert publisher.ids() == [f"{OTHER}/0"]


async def test_an_erased_entry_cannot_be_published_by_request(book: Ledger, publisher: FakePublisher) -> None:
    await book.erase(INQUIRY)
    with pytest.raises(Problem, match="is erased, so it cannot be published") as raised:
        await reconciliation.publish_again(Relay(book, publisher), f"{INQUIRY}/1")
    assert (raised.value.status, publisher.records) == (409, [])
    shown = await reconciliation.entries(book, "", -1, 10)
    assert [(one.event_id, one.erased) for one in shown] == [
        (f"{OTHER}/0", False),
        (f"{INQUIRY}/0", True),
        (f"{INQUIRY}/1", True),
    ]


async def test_the_id_of_an_erased_entry_counts_as_a_repeat_with_any_body(book: Ledger) -> None:
    again = Entry(f"{INQUIRY}/0", INQUIRY, 7, "chorus.inquiry.received", MONDAY_NOON, "{}", "other", "door", "resident")
    before = await book.accept(again)
    await book.erase(INQUIRY)
    after = await book.accept(again)
    assert before.earlier is not None
    assert after.earlier is not None
    assert (again.repeats(before.earlier), again.repeats(after.earlier)) == (False, True)


def test_reconcile_ignores_undecided_erased_entries(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LEDGERS", ("intake",))
    lost = entry("lost")
    town.says = Services(ledger=[lost, entry("erased", n=1) | {"erased": True}])
    assert [one["n"] for one in chorus("reconcile", "--dry-run", "--json").document["missing"]] == [lost["n"]]
