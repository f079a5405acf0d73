"""Notifier and scorer are killed between any two steps; mails keep their ids and events count once."""

import email
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.kafka.topics import EVENTS, RESIDENTS
from tests.integration.bench import JOINT, NOISE, Bench, killed_itself, started_anew
from tests.integration.outside import Resident
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration
MAILED = ("registered", "assigned")
NOTIFIER_STEPS = [
    ("after-insert",),
    ("before-commit", RESIDENTS),
    ("after-commit", RESIDENTS),
    ("before-commit", EVENTS),
    ("after-claim",),
    ("after-begin",),
    ("after-mail",),
    ("after-note",),
]
SCORER_STEPS = [("before-insert",), ("after-insert",), ("before-commit", EVENTS), ("after-commit", EVENTS)]


def written(bench: Bench) -> str:
    """Send a message of a resident with an address to two departments with addresses; returns its number."""
    resident = Resident(bench.url("intake"))
    receipt = resident.write(NOISE | {"contact": {"name": "林听雨", "email": f"lin-{uuid4().hex}@mail.example"}})
    resident.wait_for(receipt, "assigned")
    return str(receipt["inquiry_id"])


def mails(bench: Bench) -> dict[str, Counter[str]]:
    """The Message-IDs of each mailed event, with their counts."""
    assert bench.backing.mail is not None
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file in bench.backing.mail.glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes())
        for event in mail.get_all("X-Chorus-Event", []):
            found[str(event)][str(mail["Message-ID"])] += 1
    return found


def to_be_mailed(bench: Bench, inquiry_id: str) -> set[str]:
    """The ids of the expected mails of an inquiry: two to the resident, one to each department."""
    letters = bench.letters(inquiry_id, EVENTS, RESIDENTS)
    return {
        one.headers["ce_id"]
        for one in letters
        if one.data.get("what") in MAILED or one.headers["ce_type"] == "chorus.part.offered"
    }


def until_sent(bench: Bench, inquiry_id: str, complaint: str) -> None:
    """Wait until the mails of this inquiry are sent and no other mail is due soon.

    The hourly limit of a stack may have held back mails of other tests for an hour.
    """
    wanted = to_be_mailed(bench, inquiry_id)
    assert len(wanted) == len(MAILED) + len(JOINT)

    def waiting() -> list[tuple[Any, ...]]:
        soon = datetime.now(UTC) + timedelta(seconds=PATIENCE_S)
        found = bench.stored("notifier", "deliveries", due_at={"$lt": soon})
        return [(one["_id"], one["state"], one["due_at"]) for one in found]

    def sent() -> set[str]:
        return {one["_id"] for one in bench.stored("notifier", "deliveries", inquiry_id=inquiry_id, state="sent")}

    until(lambda: wanted <= sent() and not waiting(), lambda: f"{complaint}: {waiting()}")
    assert wanted <= mails(bench).keys(), complaint


def events_there(bench: Bench, inquiry_id: str) -> list[dict[str, Any]]:
    return bench.stored("scorer", "events", inquiry_id=inquiry_id)


@pytest.fixture(scope="module")
def others(bench: Bench) -> Iterator[None]:
    """Run intake and router; older records are handled first, so that the kill hits new ones."""
    with bench.service("intake"), bench.service("router"):
        inquiry_id = written(bench)
        with bench.service("notifier"), bench.service("scorer"):
            until_sent(bench, inquiry_id, "the notifier did not catch up")
            until(lambda: len(events_there(bench, inquiry_id)) >= 2 + len(JOINT), "the scorer did not catch up")
        yield


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("step", NOTIFIER_STEPS, ids=" ".join)
def test_a_killed_notifier_sends_every_mail_and_repeats_have_the_same_ids(bench: Bench, step: tuple[str, ...]) -> None:
    before = sum(ids.total() - 1 for ids in mails(bench).values())
    with bench.service("notifier", *step) as process, started_anew(bench, process, "notifier"):
        inquiry_id = written(bench)
        killed_itself(process)
        until_sent(bench, inquiry_id, "not everything was mailed")
    found = mails(bench)
    assert all(len(ids) == 1 for ids in found.values()), "an event went out under two Message-IDs"
    assert sum(ids.total() - 1 for ids in found.values()) - before == (step == ("after-mail",))
    assert {one["_id"] for one in bench.stored("notifier", "deliveries", inquiry_id=inquiry_id)} == to_be_mailed(
        bench, inquiry_id
    )


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("step", SCORER_STEPS, ids=" ".join)
def test_a_killed_scorer_counts_every_event_once(bench: Bench, step: tuple[str, ...]) -> None:
    with bench.service("scorer", *step) as process, started_anew(bench, process, "scorer"):
        inquiry_id = written(bench)
        killed_itself(process)
        events = {one.headers["ce_id"] for one in bench.letters(inquiry_id, EVENTS)}
        until(lambda: len(events_there(bench, inquiry_id)) >= len(events), "not every event was counted")
        bench.await_ready("scorer")
        clocks = httpx.get(f"{bench.url('scorer')}/inquiries/{inquiry_id}/clocks").json()
    assert sorted(one["_id"] for one in events_there(bench, inquiry_id)) == sorted(events)
    assert Counter(one["department"] for one in clocks) == dict.fromkeys(JOINT, 3)
