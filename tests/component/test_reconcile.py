"""`chorus reconcile` against a fake of all services: what it reports as missing, and what it publishes again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.cli.operations import reconcile
from shared.kafka import topics
from tests.component.town import Answer, Asked, Chorus, Lines, Town, problem

ONE, TWO = "20261122-7F3KQ2MX", "20261123-0000000A"


def entry(id_: str, inquiry_id: str = ONE, n: int = 0, *, published: bool = True, overdue: bool = False) -> Any:
    at, type_ = "2026-11-22T09:12:16Z", "chorus.inquiry.received"
    about = {"event_id": id_, "inquiry_id": inquiry_id, "n": n, "type": type_, "at": at}
    return about | {"published": published, "overdue": overdue}


def decision(cause: str, inquiry_id: str = ONE, n: int = 1) -> Any:
    said = [{"topic": topic, "type": "t", "id": f"{cause}-{topic}"} for topic in (topics.EVENTS, topics.RESIDENTS)]
    inbox = {"topic": topics.inbox("lighting"), "type": "t", "id": f"{cause}-inbox"}
    return {"inquiry_id": inquiry_id, "n": n, "cause": cause, "messages": [*said, inbox]}


@dataclass
class Services:
    """A fake of all services behind one address, with hooks for waiting and publishing."""

    ledger: list[Any] = field(default_factory=list)
    decisions: list[Any] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    letters: list[Any] = field(default_factory=list)
    behind: list[dict[str, int]] = field(default_factory=list)
    on_wait: Callable[["Services"], None] = lambda services: None
    on_publish: Callable[["Services", str], None] = lambda services, path: None
    published: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        url = urlsplit(asked.path)
        after = parse_qs(url.query).get("after", [""])[0]
        if asked.method == "POST" and url.path.endswith("/publish"):
            self.published.append(url.path)
            self.on_publish(self, url.path)
            return 200, {"messages": 1}, {}
        if url.path == "/missing":
            return 200, {"missing": [one for one in asked.body["ids"] if one not in self.seen]}, {}
        if url.path == "/behind":
            self.on_wait(self)
            return 200, {"behind": self.behind.pop(0) if self.behind else {}}, {}
        if url.path == "/dead-letters":
            return 200, {"letters": self.letters, "next": None, "unread": 0}, {}
        if url.path == "/decisions":
            rows = [one for one in self.decisions if f"{one['inquiry_id']}/{one['n']}" > after]
            return 200, Lines(rows[: reconcile.PAGE]), {}
        if url.path == "/ledger":
            # Intake and router share this address, so both would return this ledger.
            return 200, {"entries": self.ledger, "next": None}, {}
        return problem(404, f"nothing at {asked.path}")

    def whole(self) -> None:
        self.seen |= {message["id"] for one in self.decisions for message in one["messages"]}


@pytest.fixture
def services(town: Town, monkeypatch: pytest.MonkeyPatch) -> Services:
    one = Services()
    town.says = one
    monkeypatch.setattr(reconcile, "LEDGERS", ("intake",))
    return one


def test_nothing_is_published_when_nothing_is_missing(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("a"), entry("b", n=1), entry("c", TWO)]
    services.decisions = [decision("a"), decision("b", n=2), decision("c", TWO)]
    services.whole()
    ended = chorus("reconcile", "--json")
    assert (ended.code, services.published) == (0, [])
    assert ended.document == {
        "dry_run": False,
        "entries": 3,
        "decisions": 3,
        "unpublished": 0,
        "undecided": 0,
        "unseen": 0,
        "mended": 0,
        "left": 0,
        "missing": [],
    }
    assert "nothing is missing" in ended.err


def test_a_dry_run_reports_missing_messages_and_publishes_nothing(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("a"), entry("b", n=1, published=False, overdue=True), entry("c", TWO)]
    services.decisions = [decision("a")]
    ended = chorus("reconcile", "--dry-run", "--json")
    assert (ended.code, services.published) == (1, [])
    found = [(one["kind"], one["service"], one["inquiry_id"], one["n"]) for one in ended.document["missing"]]
    assert found == [
        ("unpublished", "intake", ONE, 1),
        ("unseen", "intake", ONE, 1),
        ("unseen", "scorer", ONE, 1),
        ("undecided", "intake", TWO, 0),
    ]
    assert "/ledger/c/publish" in ended.err


def test_missing_messages_are_published_once_in_order(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("z", TWO), entry("a", TWO, 1)]
    services.decisions = [decision("x")]

    def decided(given: Services, path: str) -> None:
        if path.startswith("/ledger/"):
            given.decisions.append(decision(path.split("/")[2], TWO, len(given.published)))
        given.whole()

    services.on_publish = decided
    ended = chorus("reconcile", "--json")
    assert services.published == [f"/decisions/{ONE}/1/publish", "/ledger/z/publish", "/ledger/a/publish"]
    assert (ended.code, ended.document["mended"], ended.document["left"]) == (0, 4, 0)
    assert chorus("reconcile", "--json").document["missing"] == []


def test_messages_that_stay_missing_are_reported(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("a")]
    ended = chorus("reconcile", "--json")
    assert (ended.code, ended.document["mended"], ended.document["left"]) == (1, 0, 1)


def test_messages_in_transit_are_not_reported(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("a"), entry("b", n=1, published=False)]

    def arrives(given: Services) -> None:
        given.decisions = [decision("a")]
        given.whole()

    services.on_wait = arrives
    services.behind = [{topics.INPUTS: 3}]
    ended = chorus("reconcile", "--json")
    assert (ended.code, ended.document["missing"], services.published) == (0, [], [])
    assert f"still reads: 3 of {topics.INPUTS}" in ended.err


def test_nothing_is_reported_while_a_service_has_lag(
    services: Services, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "PATIENCE_S", -1.0)
    services.ledger = [entry("a")]
    services.behind = [{topics.INPUTS: 900}]
    ended = chorus("reconcile")
    assert (ended.code, services.published) == (3, [])
    assert f"900 of {topics.INPUTS}" in ended.err


def test_dead_letters_are_not_reported_as_missing(services: Services, chorus: Chorus) -> None:
    services.ledger = [entry("a"), entry("b", n=1)]
    services.decisions = [decision("a")]
    services.seen = {f"a-{topics.RESIDENTS}"}
    services.letters = [
        {"service": "router", "topic": topics.INPUTS, "event_id": "b", "status": "discarded"},
        {"service": "scorer", "topic": topics.EVENTS, "event_id": f"a-{topics.EVENTS}", "status": "open"},
    ]
    assert chorus("reconcile", "--dry-run", "--json").document["missing"] == []
    services.letters[1] = services.letters[1] | {"service": "notifier"}
    [left] = chorus("reconcile", "--dry-run", "--json").document["missing"]
    assert (left["kind"], left["service"]) == ("unseen", "scorer")


def test_messages_of_a_decision_that_waits_for_a_replay_are_not_reported(services: Services, chorus: Chorus) -> None:
    services.ledger, services.decisions = [entry("a")], [decision("a")]
    services.letters = [{"service": "router", "topic": topics.INPUTS, "event_id": "a", "status": "open"}]
    assert chorus("reconcile", "--dry-run", "--json").document["missing"] == []
    services.letters[0] = services.letters[0] | {"status": "replayed"}
    assert chorus("reconcile", "--dry-run", "--json").document["unseen"] == 2


def test_long_lists_are_read_in_pages(services: Services, chorus: Chorus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 2)
    services.decisions = [decision(f"c{n}", n=n) for n in range(1, 6)]
    services.whole()
    services.seen.discard(f"c3-{topics.EVENTS}")
    document = chorus("reconcile", "--dry-run", "--json").document
    assert (document["decisions"], [one["n"] for one in document["missing"]]) == (5, [3])
