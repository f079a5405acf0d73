"""The guide for departments: its scripts are the files in docs/examples, and each answers a resident on the running stack."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.city import load_city
from shared.contracts.department_inbox import INBOX
from shared.contracts.envelope import PREFIX
from shared.contracts.inputs import DEPARTMENT_MESSAGES
from shared.kafka.topics import department_topics, inbox
from tests.conftest import REPOSITORY, RunningStack
from tests.integration.outside import STATES, read_all
from tests.patience import PATIENCE_S

GUIDE = REPOSITORY / "docs" / "departments.md"
EXAMPLES = sorted((REPOSITORY / "docs" / "examples").glob("*.py"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

integration = pytest.mark.integration


def blocks(language: str) -> list[str]:
    """The guide's code blocks in one language."""
    return [code for named, code in BLOCK.findall(GUIDE.read_text("utf-8")) if named == language]


def kcat_lines() -> list[list[str]]:
    """Every kcat command of the guide as arguments, with `CODE` and `PART` replaced."""
    text = "\n".join(block.replace("|\n", "| ") for block in blocks("sh"))
    filled = text.replace("$CODE", "urban-management").replace("$PART", "20261122-7F3KQ2MX-p1")
    commands = [line.partition("|")[2] or line for line in filled.splitlines() if "kcat -b" in line]
    return [shlex.split(command, comments=True) for command in commands]


# ── what is shown ────────────────────────────────────────────────────────────


def test_the_scripts_in_the_guide_are_the_files_that_run() -> None:
    assert blocks("python") == [path.read_text("utf-8") for path in EXAMPLES]


def test_kcat_commands_use_existing_topics_and_valid_headers() -> None:
    city = load_city(REPOSITORY / "deploy" / "city")
    topics = {topic.name for topic in department_topics([one.code for one in city.active], retention_days=90)}
    types = set()
    for words in kcat_lines():
        named = [word for word in words if word.startswith("departments.") and word.endswith((".inbox", ".outbox"))]
        assert len(named) == 1, words
        assert set(named) <= topics, words
        headers = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
        assert bool(headers) == ("-P" in words), words
        assert bool(headers) == named[0].endswith(".outbox"), words
        pairs = dict(header.split("=", 1) for header in headers)
        assert set(pairs) <= {"ce_type", "ce_id"}, words
        types |= {pairs[name] for name in pairs if name == "ce_type"}
    assert types == set(DEPARTMENT_MESSAGES)


def test_every_field_of_every_message_is_in_the_guide() -> None:
    guide = GUIDE.read_text("utf-8")
    for kind, model in INBOX.items():
        section = guide.partition(f"### `{kind}`")[2].partition("\n### ")[0]
        assert section, f"{kind} has no section"
        shown = set(re.findall(r"`(\w+)`", section))
        assert shown >= set(model.model_fields) - {"reply"}, kind
    for kind, sent in DEPARTMENT_MESSAGES.items():
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{kind}`"))
        assert set(re.findall(r"`(\w+)`", row)) >= set(sent.model_fields) - {"part_id", "by"}, kind


# ── what happens ─────────────────────────────────────────────────────────────


class Resident:
    """Writes to one department and waits for the reply over HTTP."""

    def __init__(self, stack: RunningStack, department: str) -> None:
        self.intake = json.loads((stack.data / "stack.json").read_text())["urls"]["intake"]
        self.client = httpx.Client(trust_env=False, timeout=PATIENCE_S)
        message = {"subject": "请回复", "body": f"请 {department} 答复。", "departments": [department]}
        receipt = self.client.post(f"{self.intake}/inquiries", json=message).raise_for_status().json()
        self.inquiry_id, self.code = receipt["inquiry_id"], receipt["query_code"]

    def ticket(self) -> dict[str, Any]:
        url = f"{self.intake}/inquiries/{self.inquiry_id}"
        found: dict[str, Any] = self.client.get(url, headers={"X-Query-Code": self.code}).raise_for_status().json()
        return found

    def sees(self, state: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while STATES.index((ticket := self.ticket())["state"]) < STATES.index(state):
            assert time.monotonic() < until, ticket
            time.sleep(0.1)
        return ticket


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example as a department would, until it ends by itself."""
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def kafka_of(stack: RunningStack) -> str:
    return str(json.loads((stack.data / "stack.json").read_text())["kafka"])


@integration
@pytest.mark.parametrize(
    ("script", "department"),
    list(zip(EXAMPLES, ("tax", "petitions"), strict=True)),
    ids=lambda one: getattr(one, "stem", one),
)
def test_an_example_answers_only_the_part_that_it_is_asked_to_answer(
    stack: RunningStack, script: Path, department: str
) -> None:
    words = f"路灯已修复。It works again, says {department}."
    asked, other = Resident(stack, department), Resident(stack, department)
    other.sees("assigned")
    done = run(script, kafka_of(stack), department, f"{asked.inquiry_id}-p1", words)
    assert done.returncode == 0, done.stdout + done.stderr
    ticket = asked.sees("answered")
    assert [(one["department"], one["text"]) for one in ticket["reply"]["paragraphs"]] == [(department, words)]
    assert other.ticket()["state"] == "assigned"
    for resident in (asked, other):
        assert f"offered {resident.inquiry_id}-p1" in done.stdout


@integration
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda one: one.stem)
def test_an_example_reports_a_refusal(stack: RunningStack, script: Path) -> None:
    resident = Resident(stack, "commerce")
    resident.sees("assigned")
    part = f"{resident.inquiry_id}-p1"
    assert stack.chorus("inbox", "commerce", "accept", part).returncode == 0
    done = run(script, kafka_of(stack), "commerce", part)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"refused: The part '{part}' is accepted already." in done.stdout


@integration
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda one: one.stem)
def test_an_example_that_runs_again_answers_nothing_twice(stack: RunningStack, script: Path) -> None:
    department = "commerce"
    kafka = kafka_of(stack)
    resident = Resident(stack, department)
    part = f"{resident.inquiry_id}-p1"
    assert run(script, kafka, department, part, "once").returncode == 0
    again = run(script, kafka, department, part, "twice")
    assert (again.returncode, f"chorus.part.closed: {part}" in again.stdout) == (1, True), again.stderr
    assert "sent" not in again.stdout
    decided = json.loads(stack.chorus("timeline", resident.inquiry_id, "--json").stdout)
    assert [fact["type"] for fact in decided].count(f"{PREFIX}part.contributed") == 1
    letters = [one for one in read_all(kafka, [inbox(department)]) if one.key == resident.inquiry_id]
    assert {one.headers["ce_type"] for one in letters} == {f"{PREFIX}part.offered", f"{PREFIX}part.closed"}


@integration
@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed; its command lines are only parsed")
def test_kcat_answers_as_the_guide_shows(stack: RunningStack) -> None:
    department = "tax"
    resident = Resident(stack, department)
    resident.sees("assigned")
    variables = {"BROKER": kafka_of(stack), "CODE": department, "PART": f"{resident.inquiry_id}-p1"}
    answer = next(block for block in blocks("sh") if "part.contributed" in block and "kcat" in block)
    subprocess.run(["sh", "-e", "-c", answer], env=stack.env | variables, check=True, timeout=PATIENCE_S)
    ticket = resident.sees("answered")
    assert ticket["reply"]["paragraphs"][0]["text"] == "The lamps work again."
    assert any("it takes until Friday" in one["text"] for one in ticket["timeline"])


@integration
def test_the_command_line_answers_as_the_guide_shows(stack: RunningStack) -> None:
    resident = Resident(stack, "urban-management")
    resident.sees("assigned")
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("chorus inbox")]
    for line in lines:
        words = shlex.split(line.replace("PART", f"{resident.inquiry_id}-p1"), comments=True)[1:]
        # The last three would be refused: the part is contributed then, has no offices, and no co-handlers.
        if words[2] in ("follow", "return", "delegate", "go-ahead"):
            continue
        done = stack.chorus(*words, *(["--wait", "0"] if words[2] != "show" else []))
        assert done.returncode == 0, (line, done.stderr)
    ticket = resident.sees("answered")
    assert ticket["reply"]["paragraphs"][0]["text"] == "The lamps work again."
