"""`chorus mail` against a fake notifier."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.cli.operations import mail
from services.notifier.mail.api import STATES
from tests.component.town import Answer, Asked, Chorus, Town, problem

MAIL: dict[str, Any] = {
    "id": "e-1",
    "kind": "resident",
    "inquiry_id": "20261122-7F3KQ2MX",
    "what": "answered",
    "state": "failed",
    "attempts": 3,
    "to": "w***@mail.example",
    "error": "550 \x1b[31mno such mailbox",
    "noted_at": "2026-11-22T09:12:16.000Z",
    "due_at": None,
    "sent_at": None,
    "sent_in": None,
    "retry_until": "2026-12-22T09:12:16.000Z",
}
MAILS = [MAIL, MAIL | {"id": "e-2", "retry_until": None}, MAIL | {"id": "e-3", "state": "sent", "error": None}]


def notifier(asked: Asked) -> Answer:
    """Lists three mails in two pages, and sends one of them again."""
    if asked.method == "GET":
        query = parse_qs(urlsplit(asked.path).query)
        found = [one for one in MAILS if one["state"] == query.get("state", [one["state"]])[0]]
        first = "after" not in query
        return 200, {"mails": found[:1] if first else found[1:], "next": "e-1" if first else None}, {}
    if asked.path == "/mails/e-1/retry":
        return 202, MAIL | {"state": "waiting"}, {}
    return problem(409, "The text of the mail 'e-2' is deleted: it failed too long ago.")


def test_the_list_shows_state_and_reason_of_each_mail(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    ended = chorus("mail", "list")
    assert ended.code == 0
    for word in (
        "e-1",
        "e-3",
        "20261122-7F3KQ2MX",
        "answered",
        "w***@mail.example",
        "2 failed, 1 sent",
        "chorus mail retry",
    ):
        assert word in ended.out, word
    assert "e-1: 550 ␛[31mno such mailbox" in ended.out
    assert chorus("mail", "list", "--json").document == MAILS


def test_the_counts_say_when_they_are_of_the_newest_mails_only(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    assert "The newest 2: 2 failed." in chorus("mail", "list", "--limit", "2").out
    assert "newest" not in chorus("mail", "list", "--limit", "4").out


def test_only_failed_mails_are_asked_for(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    assert [one["id"] for one in chorus("mail", "list", "--failed", "--json").document] == ["e-1", "e-2"]
    assert len(chorus("mail", "list", "--limit", "1", "--json").document) == 1
    assert chorus("mail", "list", "--failed", "--state", "sent").code == 2
    chorus("mail", "list", "--inquiry", "20261122-7F3KQ2MX", "--state", "retrying")
    assert parse_qs(urlsplit(town.asked[-1].path).query)["state"] == ["retrying"]


def test_without_ids_all_mails_with_words_are_sent_again(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    ended = chorus("mail", "retry", "--json")
    assert (ended.code, ended.document["retried"]) == (0, 1)
    assert [one.path for one in town.asked if one.method == "POST"] == ["/mails/e-1/retry"]


def test_a_refusal_is_shown_and_the_others_are_sent(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    ended = chorus("mail", "retry", "e-2", "e-1")
    assert ended.code == 5
    assert "e-2: " in ended.out
    assert "failed too long ago" in ended.out
    assert "1 of 2 mails will be sent again." in ended.out
    assert chorus("mail", "retry", "e-2").code == 4


def test_no_mails_is_said_in_a_sentence(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"mails": [], "next": None}, {})
    assert "No mails." in chorus("mail", "list").out
    assert "No failed mails that can be sent again." in chorus("mail", "retry").out


def test_a_wrong_token_ends_the_command(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: problem(401, "This request needs the operator's token.")
    ended = chorus("mail", "retry", "e-1", "e-2")
    assert (ended.code, len(town.asked)) == (4, 1)


def test_an_odd_id_stays_one_part_of_the_path(town: Town, chorus: Chorus) -> None:
    town.says = notifier
    chorus("mail", "retry", "../mails?x")
    assert town.asked[-1].path == "/mails/..%2Fmails%3Fx/retry"


def test_the_command_knows_all_states() -> None:
    assert set(mail.STATES) == set(STATES)
