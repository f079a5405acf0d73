"""`chorus apply`, `route`, `case`, `triage`, `status` and `--version` against fake services."""

import getpass
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
import typer

from deploy.cli.operations import apply as apply_command
from deploy.cli.operations.triage import age
from deploy.local import probe
from shared.city import City, load_city, retire
from tests.component.town import Answer, Asked, Chorus, Said, Town, problem
from tests.conftest import REPOSITORY

CASE = "20261122-7F3KQ2MX"
FOLDER = REPOSITORY / "deploy" / "city"
REVISED = {"revision": 8, "departments": 30, "rules": 80}


def city_in_force(city: City | None, later: City | None = None) -> Said:
    """A desk with this city; `later` is what a second look finds."""
    cities = [city, later or city]

    def says(asked: Asked) -> Answer:
        if (asked.method, asked.path) != ("GET", "/city"):
            return 200, REVISED, {}
        now = cities[0] if len(cities) == 1 else cities.pop(0)
        return problem(404, "No city") if now is None else (200, json.loads(now.model_dump_json()), {})

    return says


@pytest.fixture(scope="module")
def sample() -> City:
    return load_city(FOLDER).model_copy(update={"revision": 7})


# ── apply ────────────────────────────────────────────────────────────────────


def test_apply_publishes_nothing_when_nothing_differs(town: Town, chorus: Chorus, sample: City) -> None:
    town.says = city_in_force(sample)
    ended = chorus("apply", str(FOLDER), "--json")
    assert (ended.code, ended.document["revision"], ended.document["changes"]) == (0, 7, [])
    assert "Nothing to change: revision 7 is active." in ended.err
    assert town.posts("/city") == []


def test_apply_shows_the_difference_before_it_publishes(town: Town, chorus: Chorus, sample: City) -> None:
    first, *rest = sample.departments
    older = sample.model_copy(
        update={
            "departments": (first.model_copy(update={"email": "old@mail.example"}), *rest[:-1]),
            "rules": (*sample.rules[1:], sample.rules[0].model_copy(update={"id": "former"})),
        }
    )
    town.says = city_in_force(retire(older, rest[0].code))
    ended = chorus("apply", str(FOLDER))
    assert ended.code == 0, ended.err
    assert f'department {first.code}: email "old@mail.example" → "{first.email}"' in ended.out
    assert f"department {rest[-1].code} ({rest[-1].name.zh}, {rest[-1].name.en}): added" in ended.out
    assert f"department {rest[0].code} ({rest[0].name.zh}, {rest[0].name.en}): stays retired" in ended.out
    assert f"rule {sample.rules[0].id}: added" in ended.out
    assert "rule former: removed" in ended.out
    assert ended.out.index("rule former") < ended.out.index("Revision 8 is active")
    assert len(town.posts("/city")) == 1


def test_the_first_city_is_published(town: Town, chorus: Chorus, sample: City) -> None:
    town.says = city_in_force(None)
    ended = chorus("apply", str(FOLDER), "--json")
    assert (ended.code, ended.document["revision"]) == (0, 8)
    added = [one["id"] for one in ended.document["changes"] if (one["kind"], one["change"]) == ("department", "added")]
    assert added == [one.code for one in sample.departments]


@pytest.mark.parametrize(("agrees", "code"), [(True, 0), (False, 4)])
def test_on_a_terminal_apply_asks(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, agrees: bool, code: int
) -> None:
    town.says = city_in_force(None)
    questions: list[str] = []

    def confirm(question: str, **_: Any) -> bool:
        questions.append(question)
        return agrees

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    assert chorus("apply", str(FOLDER)).code == code
    assert (questions, len(town.posts("/city"))) == (["Publish these changes?"], int(agrees))
    assert chorus("apply", str(FOLDER), "--yes").code == 0
    assert len(questions) == 1


def test_a_change_by_somebody_else_during_the_question_is_noticed(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch, sample: City
) -> None:
    town.says = city_in_force(None, later=sample)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: True)
    ended = chorus("apply", str(FOLDER))
    assert (ended.code, "was changed in the meantime" in ended.err, town.posts("/city")) == (4, True, [])


def test_an_answer_that_is_no_city_is_reported(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, REVISED, {})
    ended = chorus("apply", str(FOLDER))
    assert (ended.code, "is not a city" in ended.err, "Traceback" in ended.err) == (1, True, False)
    assert apply_command.in_force.__doc__


# ── route ────────────────────────────────────────────────────────────────────

ROUTE = {
    "revision": 3,
    "triage": False,
    "lead": "lighting",
    "co_handlers": ["roads"],
    "rule": "dark",
    "why": {"zh": "路灯", "en": "lamps"},
    "matched": "subject",
    "terms": ["路灯"],
    "words_needed": 1,
    "near": [
        {"rule": "poles", "departments": ["power"], "terms": ["路灯"], "why_not": "the subject alone matches dark"}
    ],
}


def test_route_shows_the_rule_and_the_near_ones(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, ROUTE, {})
    ended = chorus("route", "--subject", "路灯不亮", "--body", "三盏", "--area", "东屿区", "--channel", "hotline")
    assert ended.code == 0
    assert "Rule dark would assign lighting, with roads (revision 3)." in ended.out
    assert "the subject: “路灯”" in ended.out
    assert "the subject alone matches dark" in ended.out
    [asked] = town.posts("/route")
    assert asked.body == {"subject": "路灯不亮", "body": "三盏", "area": "东屿区", "channel": "hotline"}
    assert chorus("route", "--subject", "x", "--json").document == ROUTE


def test_route_says_when_a_message_would_go_to_triage(town: Town, chorus: Chorus) -> None:
    nothing: dict[str, Any] = {
        "triage": True,
        "lead": None,
        "rule": None,
        "why": None,
        "matched": None,
        "terms": [],
        "near": [],
    }
    town.says = lambda _: (200, ROUTE | nothing, {})
    ended = chorus("route", "--subject", "x")
    assert (ended.code, "No rule matches: the message would go to triage" in ended.out) == (0, True)
    assert chorus("route").code == 2


# ── case ─────────────────────────────────────────────────────────────────────

SHOWN: dict[str, Any] = {
    "inquiry_id": CASE,
    "state": "triage",
    "round": 1,
    "inquiry": {
        "subject": "路灯不亮",
        "body": "第一行\n第二行",
        "area": "东屿区",
        "channel": "web",
        "received_at": "2026-11-22T09:51:34.490Z",
        "language": "zh",
        "contact": {"name": "陈测试", "phone": None, "email": "chen@mail.example"},
        "public": True,
        "confidential": True,
    },
    "lead": None,
    "co_handlers": [],
    "parts": [
        {
            "part_id": f"{CASE}-p1",
            "department": "lighting",
            "role": "lead",
            "state": "contributed",
            "due": {"accept": "2026-11-23T09:51:34.490Z"},
            "text": "灯亮了",
        }
    ],
    "timeline": [{"sequence": 1, "at": "2026-11-22T09:51:34.490Z", "type": "chorus.inquiry.registered", "data": {}}],
    "decisions": [
        {
            "facts": [
                {"type": "chorus.part.returned", "part_id": f"{CASE}-p2", "department": "roads", "reason": "not-ours"}
            ],
            "words": {"0/words": "不归我们管"},
        }
    ],
}


def test_a_case_is_shown_with_its_text(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, SHOWN, {})
    ended = chorus("case", "show", CASE)
    assert ended.code == 0, ended.err
    for words in (
        "路灯不亮",
        "    第一行\n    第二行",
        "东屿区",
        "灯亮了",
        "roads returned it (not-ours)",
        "不归我们管",
        "陈测试, chen@mail.example (confidential",
    ):
        assert words in ended.out
    assert chorus("case", "show", CASE, "--json").document == SHOWN


def test_a_clerk_reads_why_others_returned_the_inquiry(town: Town, chorus: Chorus) -> None:
    back = {"department": "roads", "reason": "not-ours", "words": "归水务局管"}
    part = SHOWN["parts"][0] | {"returned": [back]}
    town.says = lambda _: (200, SHOWN | {"parts": [part], "decisions": []}, {})
    out = chorus("case", "show", CASE).out
    assert f"roads returned it (not-ours) before {CASE}-p1, and writes:" in out
    assert "归水务局管" in out


def test_an_erased_case_and_an_unknown_one_are_shown(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, SHOWN | {"inquiry": None, "parts": [], "timeline": [], "decisions": []}, {})
    assert "(no text: not registered yet, or erased)" in chorus("case", "show", CASE).out
    town.says = lambda _: problem(404, "There is no inquiry.")
    assert chorus("case", "show", "nope").code == 1


def test_cases_are_listed_by_state_and_department(town: Town, chorus: Chorus) -> None:
    row = {"inquiry_id": CASE, "state": "triage", "received_at": "2026-11-22T09:51:34.490Z", "subject": "路灯"}
    town.says = lambda _: (200, {"cases": [row], "next": None}, {})
    ended = chorus("case", "list", "--state", "triage", "--department", "roads")
    assert (ended.code, "路灯" in ended.out, "1 case." in ended.out) == (0, True, True)
    assert "state=triage" in town.asked[-1].path
    assert "department=roads" in town.asked[-1].path
    assert chorus("case", "list", "--json").document == [row]
    assert "state" not in town.asked[-1].path
    town.says = lambda _: (200, {"cases": [], "next": None}, {})
    assert chorus("case", "list").out.strip() == "0 cases."


# ── triage ───────────────────────────────────────────────────────────────────

REASON = {
    "reason": "returned",
    "since": "2026-11-22T10:00:00.000Z",
    "part_id": f"{CASE}-p1",
    "department": "roads",
    "returned_for": "not-ours",
    "words": "不归我们管",
    "suggest": "water",
    "by": "王工",
    "named": [],
}
WAITING = {
    "inquiry_id": CASE,
    "subject": "路灯",
    "area": "东屿区",
    "channel": "web",
    "received_at": "2026-11-22T09:51:34.490Z",
    "age_s": 7_300,
    "departments": [],
    "reasons": [REASON, REASON | {"reason": "department-retired", "department": "parks", "words": "并入"}],
}


def test_triage_shows_each_reason_with_words_and_suggestion(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"inquiries": [WAITING], "waiting": 1, "next": None}, {})
    ended = chorus("triage", "list")
    assert ended.code == 0
    for words in (
        "2 h",
        "东屿区",
        "p1 returned by roads: not-ours, by 王工",
        "不归我们管",
        "water",
        "parks is retired",
    ):
        assert words in ended.out
    assert chorus("triage", "list", "--json").document == [WAITING]
    long = WAITING | {"reasons": [REASON | {"words": "字" * 20_000}]}
    town.says = lambda _: (200, {"inquiries": [long], "waiting": 1, "next": None}, {})
    assert chorus("triage", "list").out.count("字") == 200
    assert chorus("triage", "list", "--json").document == [long]
    dispute = {"reason": "arbitration", "until": "2026-11-23T10:00:00.000Z"}
    town.says = lambda _: (
        200,
        {"inquiries": [WAITING | {"reasons": [REASON | dispute]}], "waiting": 1, "next": None},
        {},
    )
    shown = chorus("triage", "list").out
    for words in ("arbitration: p1 returned by roads: not-ours", "until 2026-11-23T10:00:00.000Z"):
        assert words in shown
    town.says = lambda _: (200, {"inquiries": [], "waiting": 0, "next": None}, {})
    ended = chorus("triage", "list", "--json")
    assert (ended.document, "0 in triage." in ended.err) == ([], True)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (172_800, "2 d")],
)
def test_an_age_is_shown_in_one_unit(seconds: int, shown: str) -> None:
    assert age(seconds) == shown


# ── who acts ─────────────────────────────────────────────────────────────────


def applied(asked: Asked) -> Answer:
    return (202, {"event_id": "e1"}, {}) if asked.method == "POST" else (200, {"status": "applied"}, {})


@pytest.mark.parametrize(
    "words",
    [["triage", "assign", CASE, "--lead", "parks"], ["triage", "withdraw", CASE, f"{CASE}-p1", "--why", "x"]],
    ids=lambda words: words[1],
)
def test_a_command_carries_the_given_name_or_the_login_name(town: Town, chorus: Chorus, words: list[str]) -> None:
    town.says = applied
    assert chorus(*words, "--by", "李雷").code == 0
    assert chorus(*words).code == 0
    assert [one.body["by"] for one in town.asked if one.method == "POST"] == ["李雷", getpass.getuser()]


@pytest.mark.parametrize("by", ["", "  ", "\u3164", "x" * 101])
def test_a_blank_or_long_name_is_a_usage_error(town: Town, chorus: Chorus, by: str) -> None:
    ended = chorus("triage", "assign", CASE, "--lead", "parks", "--by", by)
    assert (ended.code, town.asked) == (2, [])


def test_a_name_that_is_not_utf8_is_a_usage_error(town: Town, chorus: Chorus) -> None:
    ended = chorus("triage", "assign", CASE, "--lead", "parks", "--by", "li\udcff")
    assert (ended.code, "is not valid UTF-8" in ended.err, town.asked) == (2, True, [])


# ── status, version ──────────────────────────────────────────────────────────


def services(**answers: Any) -> Said:
    rows: dict[str, Callable[[], Any]] = {
        "/triage": lambda: {"waiting": 3, "inquiries": [WAITING], "next": None},
        "/dead-letters": lambda: {"letters": [], "next": None, "unread": 0, "open": 2},
        "/behind": lambda: {"behind": {"inquiries.events": 5}},
        "/mails/counts": lambda: {"unsent": 4, "failed": 1},
        "/readyz": lambda: {"ready": True, "reasons": []},
    }

    def says(asked: Asked) -> Answer:
        path = asked.path.partition("?")[0]
        if path in answers:
            status_, body = answers[path]
            return status_, body, {}
        return (200, rows[path](), {}) if path in rows else problem(404, path)

    return says


@pytest.fixture
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kafka", "store", "smtp"):
        monkeypatch.setattr(probe, name, lambda _: "")


@pytest.mark.usefixtures("_ready")
def test_status_shows_what_waits_on_the_line_of_each_service(town: Town, chorus: Chorus) -> None:
    town.says = services()
    ended = chorus("status")
    assert ended.code == 0, ended.out
    lines = {line.split()[0]: line for line in ended.out.splitlines()}
    assert list(lines) == ["kafka", "store", "smtp", "intake", "router", "notifier", "scorer"]
    assert f"; 3 in triage (the oldest {CASE}, 2 h), 2 open dead letters, lag 5 of inquiries.events" in lines["router"]
    assert "; 4 unsent and 1 failed mails, lag 5 of inquiries.events" in lines["notifier"]
    document = chorus("status", "--json").document
    assert document["triage"] == {"waiting": 3, "oldest": CASE, "oldest_age_s": 7_300}
    assert (document["dead_letters"], document["mail"]) == ({"open": 2, "unread": 0}, {"unsent": 4, "failed": 1})
    assert document["lag"]["scorer"] == {"inquiries.events": 5}
    assert (document["ready"], document["unknown"], len(document["parts"])) == (True, {}, 7)


@pytest.mark.usefixtures("_ready")
@pytest.mark.parametrize("answer", [(503, {"title": "away"}), (401, {"title": "no"}), (200, []), (200, {})], ids=str)
def test_status_says_what_it_could_not_find_out(town: Town, chorus: Chorus, answer: tuple[int, Any]) -> None:
    town.says = services(**{"/triage": answer})
    ended = chorus("status", "--json")
    assert (ended.code, ended.document["triage"], list(ended.document["unknown"])) == (0, None, ["triage of router"])
    assert "; triage unknown, 2 open dead letters" in ended.err
    assert ended.document["mail"] == {"unsent": 4, "failed": 1}


@pytest.mark.usefixtures("_ready")
def test_status_works_without_a_token(town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch) -> None:
    town.says = services()
    monkeypatch.setenv("CHORUS_OPERATOR_TOKEN_FILE", "nowhere")
    ended = chorus("status", "--json")
    assert (ended.code, len(ended.document["unknown"])) == (0, 7)
    assert "Cannot read the operator token" in ended.document["unknown"]["mail of notifier"]


@pytest.mark.usefixtures("_ready")
def test_an_empty_system_waits_for_nothing(town: Town, chorus: Chorus) -> None:
    town.says = services(**{"/triage": (200, {"waiting": 0, "inquiries": []}), "/behind": (200, {"behind": {}})})
    ended = chorus("status")
    assert (ended.code, "; 0 in triage, 2 open dead letters, no lag\n" in ended.out) == (0, True)


@pytest.mark.usefixtures("_ready")
def test_a_service_that_does_not_answer_is_not_asked(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.says = services()
    monkeypatch.setenv("CHORUS_ROUTER_URL", "http://127.0.0.1:1")
    ended = chorus("status", "--json")
    assert (ended.code, ended.document["triage"], ended.document["unknown"]) == (3, None, {})
    assert {service: lag is not None for service, lag in ended.document["lag"].items()} == {
        "intake": True,
        "router": False,
        "notifier": True,
        "scorer": True,
    }


def test_the_version_is_shown(chorus: Chorus) -> None:
    assert (chorus("--version").code, chorus("--version").out) == (0, f"chorus {version('chorus')}\n")
    for words in (["--version", "--json"], ["--json", "--version"]):
        assert chorus(*words).document == {"version": version("chorus")}
    assert chorus("--json").code == 2
