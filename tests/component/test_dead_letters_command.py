"""`chorus dead-letters` against a fake desk."""

from collections.abc import Sequence
from typing import Any

import pytest

from deploy.cli.operations import dead_letters
from tests.component.town import Answer, Asked, Chorus, Town, problem

LETTER: dict[str, Any] = {
    "id": "router-7",
    "service": "router",
    "at": "2026-11-22T09:12:16Z",
    "topic": "departments.lighting.outbox",
    "partition": 0,
    "offset": 4,
    "kind": "permanent",
    "reason": "It is not JSON.",
    "attempts": 1,
    "type": "chorus.part.accepted",
    "event_id": "e-1",
    "inquiry_id": "20261122-7F3KQ2MX",
    "copies": [],
    "status": "open",
}


class Desk:
    """A fake desk with a list of dead letters and one outcome for every replay."""

    def __init__(self, letters: Sequence[dict[str, Any]] = (LETTER,), outcome: str = "replayed") -> None:
        self.letters, self.outcome, self.unread = list(letters), outcome, [0]
        self.orders: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "GET" and asked.path.startswith("/dead-letters?"):
            unread = self.unread.pop(0) if len(self.unread) > 1 else self.unread[0]
            return 200, {"letters": self.letters, "next": None, "unread": unread}, {}
        if asked.path == "/replays":
            self.orders.append(asked.body)
            return 202, {"outcomes": [self._outcome(id_) for id_ in asked.body["ids"]]}, {}
        return problem(404, f"There is no dead letter {asked.path!r}.")

    def _outcome(self, id_: str) -> dict[str, Any]:
        known = id_ != "router-404"
        return {"id": id_, "outcome": self.outcome if known else "unknown", "how": "It lies there.", "event_id": None}


def test_the_list_shows_the_record_and_reason_of_each_dead_letter(town: Town, chorus: Chorus) -> None:
    town.says = Desk()
    ended = chorus("dead-letters", "list")
    assert ended.code == 0
    for word in (
        "router-7",
        "departments.lighting.outbox-0-4",
        "permanent",
        "It is not JSON.",
        "1 dead letter, 1 open",
    ):
        assert word in ended.out
    ended = chorus("dead-letters", "list", "--json")
    assert (ended.code, ended.document) == (0, [LETTER])


def test_filters_are_passed_to_the_desk(town: Town, chorus: Chorus) -> None:
    town.says = Desk([])
    moment = "2026-11-22T17:00:00+08:00"
    words = ("--service", "scorer", "--reason", "not json", "--since", moment, "--status", "open")
    assert chorus("dead-letters", "list", *words).code == 0
    query = town.asked[-1].path
    for part in ("service=scorer", "reason=not+json", "since=2026-11-22T09%3A00%3A00.000Z", "status=open"):
        assert part in query


@pytest.mark.parametrize("since", ["yesterday", "2026-11-22", "5w", "999999d"])
def test_an_invalid_time_is_a_usage_error(town: Town, chorus: Chorus, since: str) -> None:
    ended = chorus("dead-letters", "list", "--since", since)
    assert (ended.code, repr(since) in ended.err, town.asked) == (2, True, [])


def test_the_list_waits_until_the_desk_has_read_all_dead_letters(town: Town, chorus: Chorus) -> None:
    desk = town.says = Desk()
    desk.unread = [900, 400, 0]
    ended = chorus("dead-letters", "list", "--json")
    assert (ended.document, ended.err.count("still reading")) == ([LETTER], 2)


def test_a_dead_letter_is_shown_with_its_history(town: Town, chorus: Chorus) -> None:
    said = {"what": "discarded", "at": "2026-11-22T10:00:00Z", "by": "li", "why": "a test", "event_id": None}
    bytes_ = {"text": None, "base64": "/wA="}
    shown = LETTER | {
        "history": [said],
        "found": True,
        "key": {"text": "k", "base64": None},
        "value": bytes_,
        "headers": [{"name": "x", "text": None, "base64": None}],
    }
    town.says = lambda _: (200, shown, {})
    ended = chorus("dead-letters", "show", "router-7")
    assert ended.code == 0
    assert "discarded by li at 2026-11-22T10:00:00Z: a test" in ended.out
    assert "base64 /wA=" in ended.out
    assert chorus("dead-letters", "show", "router-7", "--json").document == shown


@pytest.mark.parametrize("words", [("show", "nobody/1"), ("discard", "nobody/1", "--why", "x")])
def test_an_unknown_dead_letter_is_reported(town: Town, chorus: Chorus, words: tuple[str, ...]) -> None:
    town.says = Desk()
    ended = chorus("dead-letters", *words)
    assert (ended.code, "Dead letter 'nobody/1' does not exist" in ended.err) == (1, True)
    assert "nobody%2F1" in town.asked[-1].path


def test_dead_letters_are_replayed_by_id(town: Town, chorus: Chorus) -> None:
    desk = town.says = Desk()
    ended = chorus("dead-letters", "replay", "router-7", "router-8", "--by", "li", "--json")
    assert ended.code == 0
    assert desk.orders == [{"ids": ["router-7", "router-8"], "by": "li", "anyway": False, "dry_run": False}]
    counts = {"replayed": 2, "would_replay": 0, "already": 0, "refused": 0, "unknown": 0}
    assert ended.document == {"dry_run": False, **counts, "outcomes": ended.document["outcomes"]}


def test_dead_letters_are_replayed_by_filter_if_open(town: Town, chorus: Chorus) -> None:
    desk = town.says = Desk()
    ended = chorus("dead-letters", "replay", "--reason", "not JSON", "--dry-run")
    assert (ended.code, [one["ids"] for one in desk.orders]) == (0, [["router-7"]])
    assert desk.orders[0]["dry_run"]
    assert "status=open" in town.asked[0].path


def test_replaying_all_needs_confirmation(town: Town, chorus: Chorus) -> None:
    desk = town.says = Desk()
    ended = chorus("dead-letters", "replay", "--json")
    assert (ended.code, "--yes" in ended.err, desk.orders) == (2, True, [])
    assert ended.document == {"error": ended.err.removeprefix("chorus: ").strip()}
    assert chorus("dead-letters", "replay", "--yes").code == 0
    assert [one["ids"] for one in desk.orders] == [["router-7"]]


def test_nothing_to_replay_exits_with_status_0(town: Town, chorus: Chorus) -> None:
    town.says = Desk([])
    ended = chorus("dead-letters", "replay")
    assert (ended.code, "No dead letters to replay." in ended.out) == (0, True)


def test_ids_and_filters_together_are_a_usage_error(town: Town, chorus: Chorus) -> None:
    assert chorus("dead-letters", "replay", "router-7", "--service", "router").code == 2


@pytest.mark.parametrize(
    ("outcome", "ids", "code"),
    [
        ("already", ["router-7"], 0),
        ("would-replay", ["router-7"], 0),
        ("refused", ["router-7"], 4),
        ("replayed", ["router-404"], 1),
        ("replayed", ["router-7", "router-404"], 5),
    ],
)
def test_the_exit_code_of_a_replay(town: Town, chorus: Chorus, outcome: str, ids: list[str], code: int) -> None:
    town.says = Desk(outcome=outcome)
    assert chorus("dead-letters", "replay", *ids).code == code


def test_many_dead_letters_are_replayed_in_batches_with_progress(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "BATCH", 2)
    desk = Desk()
    town.says = lambda asked: desk(asked) if len(desk.orders) < 2 else problem(503, "Kafka is away.")
    ended = chorus("dead-letters", "replay", *(f"router-{n}" for n in range(5)))
    assert [len(one["ids"]) for one in desk.orders] == [2, 2]
    assert ended.code == 3
    assert "4 of 5" in ended.err
    assert "Kafka is away." in ended.err


def test_a_discard_reports_who_why_and_what_stays_parked(town: Town, chorus: Chorus) -> None:
    said = {"what": "discarded", "at": "2026-11-22T10:00:00Z", "by": "li", "why": "a test", "event_id": None}
    town.says = lambda _: (200, LETTER | {"history": [said], "holds": LETTER["inquiry_id"]}, {})
    ended = chorus("dead-letters", "discard", "router-7", "--why", "a test", "--by", "li")
    assert ended.code == 0
    assert "discarded by li" in ended.out
    assert f"{LETTER['inquiry_id']} stays parked" in ended.out
    assert town.asked[-1].body == {"why": "a test", "by": "li"}


def test_a_discard_needs_a_reason(town: Town, chorus: Chorus) -> None:
    assert chorus("dead-letters", "discard", "router-7").code == 2
    assert town.asked == []
