"""`chorus user`, `chorus login` and `chorus case command` against a fake desk: who they act as, and what they send."""

import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from deploy.failure import DONE, FAILED, REFUSED, USAGE
from tests.builders import INQUIRY
from tests.component.town import Answer, Asked, Chorus, Lines, Town, problem

PART = f"{INQUIRY}-p1"
MADE = {"user": "lin", "role": "clerk", "department": "parks", "token": "chorus_secret"}
TOKEN = {"token_id": "0a", "created_at": "2026-03-16T04:00:00Z", "last_used_at": None, "revoked_at": None}
SHOWN: dict[str, Any] = {"user": "lin", "number": 345678901, "role": "clerk", "department": "parks", "disabled": False}
SHOWN |= {"created_at": "2026-03-16T04:00:00Z", "created_by": 1, "tokens": [TOKEN | {"from_file": False}]}


@pytest.fixture(autouse=True)
def _private_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CHORUS_TOKEN_FILE", raising=False)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Standard input that is no terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def bearers(town: Town) -> list[str | None]:
    return [one.headers.get("authorization") for one in town.asked]


# ── users ────────────────────────────────────────────────────────────────────


def test_add_prints_the_token_once(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (201, MADE, {})
    done = chorus("user", "add", "lin", "--role", "clerk", "--department", "parks", "--json")
    assert (done.code, done.document) == (DONE, MADE)
    assert "chorus_secret" in chorus("user", "add", "lin", "--role", "clerk").out
    first = town.asked[0]
    assert (first.method, first.path) == ("POST", "/users")
    assert first.body == {"name": "lin", "role": "clerk", "department": "parks"}


def test_an_existing_name_exits_with_4(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: problem(409, "There is a user 'lin' already; choose another name.")
    done = chorus("user", "add", "lin", "--role", "auditor")
    assert (done.code, "There is a user 'lin' already" in done.err) == (REFUSED, True)


def test_a_role_that_may_not_exits_with_4_and_names_the_roles(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: problem(403, "The role 'clerk' may not list users; allowed roles: operator.")
    for words in (("user", "list"), ("user", "add", "x", "--role", "clerk"), ("triage", "list")):
        done = chorus(*words)
        assert (done.code, "allowed roles: operator" in done.err) == (REFUSED, True)


def test_list_shows_users_and_tokens_without_control_characters(town: Town, chorus: Chorus) -> None:
    second = TOKEN | {"token_id": "0b", "revoked_at": "2026-03-17T04:00:00Z", "from_file": False}
    town.says = lambda _: (200, {"users": [SHOWN | {"user": "li\x1b[2J", "tokens": [*SHOWN["tokens"], second]}]}, {})
    shown = chorus("user", "list").out
    assert "\x1b" not in shown
    assert [
        word for word in ("li␛[2J", "345678901", "clerk", "parks", "0a", "0b", "revoked") if word not in shown
    ] == []
    assert chorus("user", "list", "--json").document[0]["tokens"][1]["token_id"] == "0b"


def test_a_user_without_tokens_is_listed(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"users": [SHOWN | {"tokens": []}]}, {})
    assert "345678901" in chorus("user", "list").out


def test_disable_token_and_revoke_name_the_user_in_the_path(town: Town, chorus: Chorus) -> None:
    town.says = lambda asked: (200, MADE if asked.path.endswith("tokens") else SHOWN, {})
    for words in (("disable", "王/工"), ("token", "lin"), ("revoke", "lin", "0a")):
        assert chorus("user", *words).code == DONE
    assert [(one.method, one.path) for one in town.asked] == [
        ("POST", "/users/%E7%8E%8B%2F%E5%B7%A5/disable"),
        ("POST", "/users/lin/tokens"),
        ("DELETE", "/users/lin/tokens/0a"),
    ]


# ── who a command acts as ────────────────────────────────────────────────────


def accept_token(token: str) -> Any:
    def says(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {token}":
            return problem(401, "This request needs the token of a staff user.")
        return (200, SHOWN if asked.path == "/me" else {"users": []}, {})

    return says


def test_login_stores_the_token_and_later_commands_act_as_this_user(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    town.says = accept_token("chorus_mine")
    typed(monkeypatch, "  chorus_mine \n")
    done = chorus("login", "--json")
    assert (done.code, done.document["user"], done.document["role"]) == (DONE, "lin", "clerk")
    assert "chorus_mine" not in done.out + done.err
    file = Path(done.document["file"])
    assert file.read_text() == "chorus_mine\n"
    assert tmp_path / "config" in file.parents
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert chorus("user", "list").code == DONE
    assert bearers(town)[-1] == "Bearer chorus_mine"


def test_logout_forgets_the_token(town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch) -> None:
    town.says = lambda _: (200, SHOWN | {"users": []}, {})
    typed(monkeypatch, "chorus_mine\n")
    chorus("login")
    assert [chorus("logout", "--json").document["removed"] for _ in range(2)] == [True, False]
    chorus("user", "list")
    assert bearers(town)[-1] == "Bearer operator's token"


def test_a_token_that_the_desk_refuses_is_not_stored(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    town.says = accept_token("chorus_mine")
    typed(monkeypatch, "chorus_other\n")
    done = chorus("login")
    assert (done.code, "chorus_other" in done.err + done.out) == (REFUSED, False)
    assert list(tmp_path.rglob("config/**/*")) == []


@pytest.mark.parametrize("text", ["", "\n", "two words\n", "路灯\n", "a\x00b\n", "a\x1b[2J\n"])
def test_a_text_that_is_no_token_is_not_sent(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    typed(monkeypatch, text)
    if text == "two words\n":
        town.says = lambda _: problem(401, "This request needs the token of a staff user.")
        assert chorus("login").code == REFUSED
        return
    assert (chorus("login").code, town.asked) == (USAGE, [])


def test_on_a_terminal_the_token_is_not_echoed(town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    town.says = accept_token("chorus_typed")
    monkeypatch.setattr("sys.stdin", Terminal(""))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "chorus_typed")
    assert chorus("login").code == DONE


def test_the_token_file_of_the_environment_comes_first(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    town.says = lambda _: (200, SHOWN | {"users": []}, {})
    typed(monkeypatch, "chorus_mine\n")
    chorus("login")
    (tmp_path / "other").write_text("chorus_other\n")
    monkeypatch.setenv("CHORUS_TOKEN_FILE", str(tmp_path / "other"))
    chorus("user", "list")
    assert bearers(town)[-1] == "Bearer chorus_other"


@pytest.mark.parametrize("content", [None, b"", b"two\nlines", b"\xff\xfe", "路灯".encode()])
def test_an_unusable_token_file_is_named(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "mine"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("CHORUS_TOKEN_FILE", str(file))
    done = chorus("user", "list")
    assert (done.code, str(file) in done.err, town.asked) == (FAILED, True, [])


def test_a_stored_login_is_sent_to_its_own_desk_only(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.says = lambda _: (200, SHOWN | {"users": []}, {})
    typed(monkeypatch, "chorus_mine\n")
    chorus("login")
    monkeypatch.setenv("CHORUS_ROUTER_URL", town.url.replace("127.0.0.1", "localhost"))
    chorus("user", "list")
    assert bearers(town)[-1] == "Bearer operator's token"


def test_other_services_get_the_operators_token(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`reconcile` asks the desk and intake: only the desk knows users."""
    (tmp_path / "mine").write_text("chorus_mine\n")
    monkeypatch.setenv("CHORUS_TOKEN_FILE", str(tmp_path / "mine"))
    monkeypatch.setenv("CHORUS_ROUTER_URL", town.url.replace("127.0.0.1", "localhost"))
    answers = {"letters": [], "unread": 0, "entries": [], "next": None, "missing": []}
    town.says = lambda asked: (200, Lines([]) if asked.path.startswith("/decisions") else answers, {})
    chorus("reconcile", "--dry-run")
    of_host = {one.headers["host"].split(":")[0]: one.headers["authorization"] for one in town.asked}
    assert of_host == {"localhost": "Bearer chorus_mine", "127.0.0.1": "Bearer operator's token"}


# ── commands for a case ──────────────────────────────────────────────────────


def decided(status: str, **more: str) -> Any:
    def says(asked: Asked) -> Answer:
        if asked.method == "POST":
            return (202, {"event_id": "e1"}, {})
        return (200, {"status": status, "inquiry_id": INQUIRY, **more}, {})

    return says


def sent(town: Town, chorus: Chorus, *words: str) -> Any:
    town.says = decided("applied")
    done = chorus("case", "command", INQUIRY, *words, "--json")
    assert (done.code, done.document) == (DONE, {"event_id": "e1", "status": "applied", "inquiry_id": INQUIRY})
    [posted] = town.posts(f"/cases/{INQUIRY}/commands")
    return posted.body


def test_a_command_has_its_type_and_fields(town: Town, chorus: Chorus) -> None:
    body = sent(town, chorus, "contribute", f"part_id={PART}", "text=7 = 3 + 4, true", "final=false")
    assert body == {"type": "contribute", "part_id": PART, "text": "7 = 3 + 4, true", "final": False}


@pytest.mark.parametrize(
    ("type_", "field"),
    [("assign", "co_handlers"), ("edit-reply", "order"), ("delegate", "to")],
    ids=lambda one: str(one),
)
def test_lists_are_written_with_commas(town: Town, chorus: Chorus, type_: str, field: str) -> None:
    assert sent(town, chorus, type_, f"{field}=parks, roads") == {"type": type_, field: ["parks", "roads"]}


def test_a_code_of_a_closed_list_is_written_as_it_is(town: Town, chorus: Chorus) -> None:
    body = sent(town, chorus, "refuse", "reason=no-clear-request", "words=x")
    assert body == {"type": "refuse", "reason": "no-clear-request", "words": "x"}


def test_a_list_of_objects_is_written_as_json(town: Town, chorus: Chorus) -> None:
    actions = '[{"kind": "visit", "at": "2026-03-16T04:00:00Z"}]'
    body = sent(town, chorus, "contribute", f"part_id={PART}", "text=x", f"actions={actions}")
    assert [(one["kind"], one["at"]) for one in body["actions"]] == [("visit", "2026-03-16T04:00:00.000Z")]


def test_fields_of_a_command_of_a_later_desk_are_text(town: Town, chorus: Chorus) -> None:
    assert sent(town, chorus, "approve", "text_hash=00") == {"type": "approve", "text_hash": "00"}


def test_a_refused_command_exits_with_4_and_the_reason(town: Town, chorus: Chorus) -> None:
    town.says = decided("refused", reason="The part is accepted already.")
    done = chorus("case", "command", INQUIRY, "accept", f"part_id={PART}")
    assert (done.code, "accepted already" in done.err) == (REFUSED, True)


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_command_that_the_desk_does_not_take_exits_with_4(town: Town, chorus: Chorus, status: int) -> None:
    town.says = lambda _: problem(status, "No.")
    assert chorus("case", "command", INQUIRY, "accept", f"part_id={PART}").code == REFUSED


@pytest.mark.parametrize("fields", [["part_id"], ["=x"], ["part_id=a", "part_id=b"], ["type=x"], ["final=maybe"]])
def test_a_field_that_cannot_be_read_is_wrong_usage(town: Town, chorus: Chorus, fields: list[str]) -> None:
    assert chorus("case", "command", INQUIRY, "contribute", *fields).code == USAGE
    assert town.asked == []


def test_the_umask_does_not_widen_the_stored_token(town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch) -> None:
    town.says = lambda _: (200, SHOWN, {})
    before = os.umask(0)
    try:
        typed(monkeypatch, "chorus_mine\n")
        file = Path(chorus("login", "--json").document["file"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
