"""Every command against services whose every text holds what steers a terminal: it is shown, and never obeyed."""

import io
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli import main as program
from deploy.cli.demo.account import DemoCase
from deploy.cli.demo.messages import write_messages
from deploy.cli.demo.screen import DemoScreen
from deploy.cli.department.inbox_message import InboxMessage
from deploy.cli.department.topic_client import DepartmentTopics
from deploy.local.screen import StackScreen
from tests.component.town import Answer, Asked, Chorus, Lines, Town
from tests.patience import PATIENCE_S

CASE = "20261122-7F3KQ2MX"
EVIL = "x\x1b[2J\x1b]0;owned\x07\x9b31m\u202ey\r\nchorus: ready"
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
WAITING = {
    **dict.fromkeys(("inquiry_id", "subject", "area", "channel", "received_at"), EVIL),
    "age_s": 5,
    "departments": [EVIL],
    "reasons": [
        {"named": [EVIL], "reason": reason}
        | dict.fromkeys(("part_id", "department", "returned_for", "words", "suggest", "by"), EVIL)
        for reason in ("returned", "unknown-department", "department-retired", "no-department", EVIL)
    ],
}
FACT = {"sequence": 1, "at": EVIL, "type": EVIL, "data": {"state": EVIL, "words": EVIL, "actor": {"kind": EVIL}}}
DEPARTMENT = {"code": EVIL, "name": {"zh": EVIL, "en": EVIL}, "kind": EVIL, "parent": EVIL, "email": EVIL}
PART = {**dict.fromkeys(("part_id", "department", "role", "state", "text"), EVIL), "due": {EVIL: EVIL}}
MESSAGE = {**dict.fromkeys(("subject", "body", "area", "channel", "received_at"), EVIL), "contact": {"name": EVIL}}
GIVEN_BACK = {"type": "chorus.part.returned", "part_id": EVIL, "department": EVIL, "reason": EVIL}
RETURNED = {"facts": [GIVEN_BACK], "words": {"0/reason": EVIL, "0/words": EVIL}}
NEAR = {"rule": EVIL, "departments": [EVIL], "terms": [EVIL], "why_not": EVIL}
ROUTE = {
    **dict.fromkeys(("lead", "rule"), EVIL),
    "revision": 1,
    "triage": False,
    "co_handlers": [EVIL],
    "why": {"zh": EVIL, "en": EVIL},
    "matched": "subject",
    "terms": [EVIL],
    "words_needed": 1,
    "near": [NEAR],
}
LETTER = {
    **dict.fromkeys(("id", "service", "at", "topic", "kind", "reason", "type", "event_id", "inquiry_id"), EVIL),
    "status": "open",
    "partition": 0,
    "offset": 4,
    "found": True,
    "holds": EVIL,
    "history": [{"what": EVIL, "by": EVIL, "at": EVIL, "why": EVIL}],
    "key": {"text": EVIL, "base64": None},
    "value": {"text": EVIL, "base64": None},
    "headers": [{"name": EVIL, "text": EVIL, "base64": None}],
}
STAFF = {
    **dict.fromkeys(("user", "role", "department", "token", "created_at"), EVIL),
    "number": 1,
    "disabled": True,
    "created_by": 1,
    "tokens": 2 * [dict.fromkeys(("token_id", "created_at", "last_used_at", "revoked_at", "from_file"), EVIL)],
}
# Each command that asks a service, with the words to call it; the others say nothing that a stranger wrote.
COMMANDS: dict[str, list[str]] = {
    "status": ["status"],
    "import": ["import", "a.csv"],
    "apply": ["apply", "city"],
    "timeline": ["timeline", CASE],
    "route": ["route", "--subject", "x"],
    "case list": ["case", "list"],
    "case show": ["case", "show", CASE],
    "case worklist": ["case", "worklist"],
    "reconcile": ["reconcile", "--dry-run"],
    "erase": ["erase", CASE, "--why", "x"],
    "department add": ["department", "add", "water", "--name-zh", "水", "--name-en", "Water"],
    "department list": ["department", "list"],
    "department retire": ["department", "retire", "water", "--reason", "x"],
    "triage list": ["triage", "list"],
    "triage assign": ["triage", "assign", CASE, "--lead", "water"],
    "triage withdraw": ["triage", "withdraw", CASE, f"{CASE}-p1", "--why", "x"],
    "case enter": ["case", "enter", "--subject", "x", "--body", "x", "--channel", "hotline"],
    "case command": ["case", "command", CASE, "accept", f"part_id={CASE}-p1"],
    "user add": ["user", "add", "li", "--role", "clerk", "--department", "water"],
    "user list": ["user", "list"],
    "user disable": ["user", "disable", "li"],
    "user token": ["user", "token", "li"],
    "user revoke": ["user", "revoke", "li", "0a"],
    "login": ["login"],
    "mail list": ["mail", "list"],
    "mail retry": ["mail", "retry", "one"],
    "hall list": ["hall", "list", "--waiting"],
    "hall publish": ["hall", "publish", "--all"],
    "hall hide": ["hall", "hide", CASE, "--why", "x"],
    "hall redact": ["hall", "redact", CASE, "--find", "x"],
    "dead-letters list": ["dead-letters", "list"],
    "dead-letters show": ["dead-letters", "show", "router-1"],
    "dead-letters replay": ["dead-letters", "replay", "router-1"],
    "dead-letters discard": ["dead-letters", "discard", "router-1", "--why", "x"],
    "inbox follow": ["inbox", "water", "follow", "--from-beginning"],
    "inbox show": ["inbox", "water", "show", f"{CASE}-p1"],
    "inbox accept": ["inbox", "water", "accept", f"{CASE}-p1"],
    "inbox contribute": ["inbox", "water", "contribute", f"{CASE}-p1", "--text", "x"],
    "inbox reply": ["inbox", "water", "reply", f"{CASE}-p1", "--text", "x"],
    "inbox ask": ["inbox", "water", "ask", f"{CASE}-p1", "--text", "x"],
    "inbox ask-extension": [
        "inbox",
        "water",
        "ask-extension",
        f"{CASE}-p1",
        "--until",
        "2026-12-20T18:00+08:00",
        "--reason",
        "x",
    ],
    "inbox return": ["inbox", "water", "return", f"{CASE}-p1", "--reason", "x", "--words", "x"],
    "inbox delegate": ["inbox", "water", "delegate", f"{CASE}-p1", "--to", "water-east", "--text", "x"],
    "inbox go-ahead": ["inbox", "water", "go-ahead", f"{CASE}-p1"],
    "text list": ["text", "list"],
    "text show": ["text", "show", "water", "leak"],
    "text set": ["text", "set", "water", "leak", "--zh", "好了。"],
    "text remove": ["text", "remove", "water", "leak"],
    "text fill": ["text", "fill", CASE],
}
WORK = dict.fromkeys(("part_id", "inquiry_id", "subject", "area", "role", "state", "next_due"), EVIL) | {
    "marks": [EVIL]
}
TEXT = {
    **dict.fromkeys(("department", "id", "kind", "origin"), EVIL),
    "title": {"zh": EVIL, "en": EVIL},
    "text": {"zh": EVIL, "en": EVIL},
    "subjects": [EVIL],
    "categories": [EVIL],
}
FILLED = {
    "language": EVIL,
    "texts": [dict.fromkeys(("department", "id", "kind", "title", "text", "meant_for"), EVIL) | {"missing": [EVIL]}],
    "written": [{"part_id": EVIL, "unchanged": [EVIL], "gaps": [EVIL]}],
}
ASK_NOBODY = {"up", "provision", "secrets", "demo", "logout"}


MAIL = dict.fromkeys(("id", "kind", "inquiry_id", "what", "to", "noted_at", "error"), EVIL) | {
    "state": "failed",
    "attempts": 1,
    "retry_until": None,
}


HALL = {
    **dict.fromkeys(("inquiry_id", "state", "sha256", "shown_sha256", "answered_at", "subject", "body"), EVIL),
    **dict.fromkeys(("opening", "closing"), EVIL),
    "paragraphs": [{"department": EVIL, "name": EVIL, "text": EVIL, "retracted": True}],
    "changes": [{"what": EVIL, "at": EVIL, "department": EVIL, "text": EVIL}],
    "found": {EVIL: 1},
}


def evil(asked: Asked) -> Answer:
    """What each service answers, with foreign text wherever there is text."""
    rows: dict[str, Any] = {
        "/cases?": {"cases": [{"inquiry_id": CASE, "received_at": EVIL, "subject": EVIL, "departments": [EVIL]}]},
        "/worklist": {"parts": [WORK], "next": None},
        f"/cases/{CASE}/texts": FILLED,
        "/cases/": {
            "inquiry_id": EVIL,
            "state": EVIL,
            "round": EVIL,
            "inquiry": MESSAGE,
            "parts": [PART],
            "timeline": [FACT],
            "decisions": [RETURNED],
            "event_id": "e",
        },
        "/texts?": {"texts": [TEXT], "next": None},
        "/departments/water/texts": TEXT | {"revision": 7},
        "/triage": {"inquiries": [WAITING], "waiting": 1, "next": None},
        "/route": ROUTE,
        "/commands/": {"status": "refused", "reason": EVIL},
        "/dead-letters?": {"letters": [LETTER], "unread": 0},
        "/dead-letters/": LETTER,
        "/replays": {"outcomes": [{"id": EVIL, "outcome": "refused", "how": EVIL}]},
        "/ledger": {"entries": []},
        "/mails?": {"mails": [MAIL], "next": None},
        "/publications?": {"entries": [HALL], "next": None},
        "/publications/": HALL,
        "/users": STAFF | {"users": 2 * [STAFF]},
        "/me": STAFF,
        "/inquiries": {"inquiry_id": CASE, "query_code": EVIL, "status_url": EVIL},
    }
    if asked.path == "/departments" and asked.method == "GET":
        return 200, [DEPARTMENT], {}
    if asked.path.startswith("/decisions"):
        return 200, Lines([]), {}
    found = next((body for path, body in rows.items() if asked.path.startswith(path)), None)
    return (200, found, {}) if found else refused(asked)


def refused(_: Asked) -> Answer:
    return 422, {"title": EVIL, "detail": EVIL, "errors": [{"pointer": EVIL, "detail": EVIL}]}, {}


def an_inbox_message() -> InboxMessage:
    data = {"part_id": f"{CASE}-p1", "subject": EVIL, "body": EVIL, "contact": {"name": EVIL}, "reason": EVIL}
    return InboxMessage(EVIL, EVIL, EVIL, EVIL, "1", 0, 0, data)


@pytest.fixture(autouse=True)
def _inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def replay(_: Any) -> Iterator[InboxMessage]:
        yield from (an_inbox_message(), InboxMessage(EVIL, EVIL, EVIL, EVIL, "1", 0, 0, EVIL))

    monkeypatch.setattr(DepartmentTopics, "replay", replay)
    monkeypatch.setattr(DepartmentTopics, "so_far", lambda _: [an_inbox_message()])
    monkeypatch.setattr(DepartmentTopics, "write", lambda *_: (EVIL, an_inbox_message()))


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `chorus login` reads, and where it writes."""
    monkeypatch.setattr("sys.stdin", io.StringIO("chorus_token\n"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def _files(town: Town, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'subject,body,"{EVIL}"\n"{EVIL}","{EVIL}",x\n', "utf-8", newline="")
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "departments.yaml").write_text('- {code: "x\\e[2J\\u202e", name: "\\e"}\n', "utf-8")


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("answers", [evil, refused])
def test_no_command_passes_on_what_steers_a_terminal(name: str, answers: Any, town: Town, chorus: Chorus) -> None:
    town.says = answers
    ended = chorus(*COMMANDS[name])
    assert STEERS.findall(ended.out + ended.err) == []
    assert not [line for line in (ended.out + ended.err).splitlines() if line.startswith("chorus: ready")]
    assert "Unexpected error" not in ended.err


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize(
    "name",
    [
        "timeline",
        "triage list",
        "case list",
        "case show",
        "case worklist",
        "route",
        "dead-letters list",
        "dead-letters show",
        "inbox show",
        "user list",
        "mail list",
        "hall list",
        "text list",
        "text show",
        "text fill",
    ],
)
def test_foreign_text_is_shown_and_in_json_exact(name: str, town: Town, chorus: Chorus) -> None:
    town.says = evil
    assert "␛[2J" in chorus(*COMMANDS[name]).out
    as_json = chorus(*COMMANDS[name], "--json")
    assert STEERS.findall(as_json.out) == []
    assert EVIL in set(texts(as_json.document))


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def test_every_command_is_tried_or_said_to_ask_nobody() -> None:
    def leaves(group: Any, before: str = "") -> Iterator[str]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from leaves(command, f"{before}{name} ")
            else:
                yield before + name

    assert set(leaves(typer.main.get_command(program.app))) == set(COMMANDS) | ASK_NOBODY


def test_the_screens_of_a_stack_and_of_the_demo_show_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = os.open(tmp_path / "page", os.O_WRONLY | os.O_CREAT)
    for coloured in (False, True):
        screen = StackScreen(page, coloured=coloured)
        screen.line("router", EVIL)
        screen.status("router", EVIL)
        screen.say(EVIL)
        screen.close()
    until = time.monotonic() + PATIENCE_S
    while (page_text := (tmp_path / "page").read_text("utf-8")).count("\n") < 6 and time.monotonic() < until:
        time.sleep(0.05)
    shown = re.sub(r"\x1b\[[\d;]*m", "", page_text)
    assert STEERS.findall(shown) == []
    assert shown.count("␛[2J") == 6

    letter = replace(write_messages(1, "run")[0], subject=EVIL)
    DemoScreen({letter.mark: DemoCase(letter)}).tell("water", DemoCase(letter), EVIL)
    said = "".join(capsys.readouterr())
    assert (STEERS.findall(said), said.count("␛[2J"), said.count("\n")) == ([], 2, 1)
