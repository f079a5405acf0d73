"""Schemathesis: hostile values over HTTP never cause a 5xx or a response outside the OpenAPI document.

On its own stack, because it writes meaningless data. CHORUS_EXAMPLES sets the number of values for each operation.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backing import Backing
from tests.conftest import RunningStack, chorus_up
from tests.contract.test_openapi import DOCUMENTS
from tests.integration.outside import departments_write
from tests.patience import PATIENCE_S

Test = TypeVar("Test", bound=Callable[..., None])
pytestmark = pytest.mark.integration
EXAMPLES = int(os.environ.get("CHORUS_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LETTER = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "departments": ["urban-management"]}


@dataclass(frozen=True)
class Town:
    """The stack's addresses, an answered inquiry with its code, an applied command, a dead letter."""

    urls: dict[str, str]
    token: str
    inquiry_id: str
    code: str
    event_id: str
    letter: str

    def known(self) -> dict[str, str]:
        """Existing values for path parameters."""
        return {"inquiry_id": self.inquiry_id, "code": "parks", "event_id": self.event_id, "id": self.letter}

    def headers(self, who: str) -> dict[str, str]:
        return {} if who == "anybody" else {"Authorization": f"Bearer {self.token}", "X-Query-Code": self.code}


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack with its own broker and store. `running` skips it where it cannot run."""
    with chorus_up(tmp_path_factory.mktemp("rubbish"), {}) as stack:
        yield settled(stack)


def settled(stack: RunningStack) -> Town:
    found = json.loads((stack.data / "stack.json").read_text())
    urls, token = found["urls"], Path(found["operator_token_file"]).read_text().strip()
    receipt = httpx.post(f"{urls['intake']}/inquiries", json=LETTER, timeout=PATIENCE_S).json()
    inquiry_id = receipt["inquiry_id"]
    part = json.dumps({"part_id": f"{inquiry_id}-p1", "text": "灯亮了"})
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(timeout=PATIENCE_S, headers=bearer) as http:
        until_there(http, f"{urls['router']}/cases/{inquiry_id}")
        command = {"type": "withdraw-part", "part_id": f"{inquiry_id}-p9", "why": "nothing"}
        event_id = http.post(f"{urls['router']}/cases/{inquiry_id}/commands", json=command).json()["event_id"]
        answered = stack.chorus("inbox", "urban-management", "contribute", f"{inquiry_id}-p1", "--text", part)
        assert answered.returncode == 0, answered.stderr
        until_there(http, f"{urls['scorer']}/inquiries/{inquiry_id}/clocks")
        departments_write(found["kafka"], "parks", "part.exploded", {"part_id": f"{inquiry_id}-p1"})
        letters = until_there(http, f"{urls['router']}/dead-letters", "letters")
    return Town(urls, token, inquiry_id, receipt["query_code"], event_id, letters[0]["id"])


def until_there(http: httpx.Client, url: str, field: str | None = None) -> Any:
    """Wait for the response, or one field of it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        answer = http.get(url)
        found = answer.json() if answer.status_code == 200 else None
        if found and (field is None or found[field]):
            return found[field] if field else found
        assert time.monotonic() < until, f"nothing at {url}"
        time.sleep(0.1)


def hostile(name: str, *who: str, places: str = "") -> Callable[[Test], Test]:
    """A test for each operation of a service whose path contains `places`, by each of these people."""

    def wrap(test: Test) -> Test:
        bounded = settings(
            max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 50, suppress_health_check=list(HealthCheck)
        )
        operations = SCHEMAS[name].include(path_regex=re.escape(places)) if places else SCHEMAS[name]
        return cast(Test, operations.parametrize()(bounded(pytest.mark.parametrize("who", who)(test))))

    return wrap


SCHEMAS = {name: schemathesis.openapi.from_dict(document) for name, document in DOCUMENTS.items()}


def ask(case: Any, town: Town, name: str, who: str) -> None:
    if who == "operator who knows":
        case.path_parameters = {one: town.known().get(one, given) for one, given in case.path_parameters.items()}
    case.call_and_validate(base_url=town.urls[name], headers=town.headers(who), checks=CHECKS, timeout=PATIENCE_S)


@hostile("intake", "anybody", "operator")
def test_intake(case: Any, town: Town, who: str) -> None:
    ask(case, town, "intake", who)


@hostile("intake", "operator who knows", places="{")
def test_intake_about_what_exists(case: Any, town: Town, who: str) -> None:
    ask(case, town, "intake", who)


@hostile("router", "anybody", "operator")
def test_router(case: Any, town: Town, who: str) -> None:
    ask(case, town, "router", who)


@hostile("router", "operator who knows", places="{")
def test_router_about_what_exists(case: Any, town: Town, who: str) -> None:
    ask(case, town, "router", who)


@hostile("notifier", "anybody", "operator")
def test_notifier(case: Any, town: Town, who: str) -> None:
    ask(case, town, "notifier", who)


@hostile("notifier", "operator who knows", places="{")
def test_notifier_about_what_exists(case: Any, town: Town, who: str) -> None:
    ask(case, town, "notifier", who)


@hostile("scorer", "anybody", "operator")
def test_scorer(case: Any, town: Town, who: str) -> None:
    ask(case, town, "scorer", who)


@hostile("scorer", "operator who knows", places="{")
def test_scorer_about_what_exists(case: Any, town: Town, who: str) -> None:
    ask(case, town, "scorer", who)
