"""`chorus demo` on a whole stack: every message gets one reply, and the results can be queried."""

import json
from typing import Any, Protocol

import httpx
import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.e2e


class Ended(Protocol):
    """A finished command."""

    returncode: int
    stdout: str
    stderr: str


class Stack(Protocol):
    """The running stack of the suite."""

    def chorus(self, *words: str, timeout: float = 120) -> Ended: ...


@pytest.fixture(scope="module")
def morning(stack: Stack) -> Any:
    ended = stack.chorus("demo", "--seed", "7", "--json")
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


def test_every_message_gets_exactly_one_reply(morning: Any) -> None:
    assert morning["sent"] >= 36
    assert morning["answered"] == morning["sent"]
    assert (morning["lost"], morning["double"]) == (0, 0)
    assert [one["problems"] for one in morning["cases"] if one["problems"]] == []


def test_messages_arrive_by_every_channel_in_two_languages(morning: Any) -> None:
    assert {one["way"] for one in morning["cases"]} == {"form", "api", "file"}
    assert {one["language"] for one in morning["cases"]} == {"zh", "en"}
    assert len({one["channel"] for one in morning["cases"]}) >= 5


def test_at_least_five_replies_are_joint(morning: Any) -> None:
    joint = [one["departments"] for one in morning["cases"] if len(one["departments"]) > 1]
    assert len(joint) == morning["joint"] >= 5
    assert {len(one) for one in joint} == {2, 3}


def test_the_demo_reviews_what_the_hall_shows(stack: Stack, morning: Any) -> None:
    assert morning["published"] == morning["public"] > 10
    listed = json.loads(stack.chorus("hall", "list", "--json").stdout)
    states = {one["inquiry_id"]: (one["state"], one["sha256"] == one["shown_sha256"]) for one in listed}
    own = [one["inquiry_id"] for one in morning["cases"] if one["inquiry_id"] in states]
    assert {states[one] for one in own} == {("published", True)}


def test_residents_rate(morning: Any) -> None:
    assert morning["rated"] == sum(one["rated"] is not None for one in morning["cases"]) > 10


def test_a_case_has_its_timeline(stack: Stack, morning: Any) -> None:
    ended = stack.chorus("timeline", morning["cases"][0]["inquiry_id"], "--json")
    facts = json.loads(ended.stdout)
    assert [fact["sequence"] for fact in facts] == list(range(1, len(facts) + 1))
    assert facts[0]["type"] == "chorus.inquiry.registered"


def test_one_clock_breaks_and_the_citys_own_policy_is_back(stack: Stack, morning: Any) -> None:
    assert morning["broken_clocks"] == 1
    again = json.loads(stack.chorus("apply", str(REPOSITORY / "deploy" / "city"), "--json").stdout)
    assert [one for one in again["changes"] if one["kind"] == "policy"] == []


def test_the_last_line_leads_to_an_answered_ticket(stack: Stack, morning: Any) -> None:
    ticket = morning["ticket"]
    intake = ticket["url"].partition("/status")[0]
    header = {"X-Query-Code": ticket["query_code"]}
    found = httpx.get(f"{intake}/inquiries/{ticket['inquiry_id']}", headers=header, trust_env=False)
    assert found.json()["state"] in ("answered", "closed", "reopened")
    assert httpx.get(ticket["url"], headers={"Accept": "text/html"}, trust_env=False).status_code == 200


def test_a_second_demo_on_the_same_stack_succeeds(stack: Stack, morning: Any) -> None:
    ended = stack.chorus("demo", "--seed", "7", "--json")
    assert ended.returncode == 0, ended.stderr[-3000:]
    first, second = ({one["inquiry_id"] for one in told["cases"]} for told in (morning, json.loads(ended.stdout)))
    assert first.isdisjoint(second)
