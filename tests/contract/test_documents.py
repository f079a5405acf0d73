"""The documents agree with the tree: every path that they name exists, the trace is short, and so is every line."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
MADE_LATER = ("deploy/secrets/", "tests/benchmarks/results/partial")
PATH = re.compile(r"`((?:shared|services|deploy|tests|docs)/[\w./-]*\w)/?`")
TRACE_FILES_MAX = 20
LINE_MAX = 120
GENERATED = "tests/benchmarks/results/"


def paths(text: str) -> list[str]:
    """The repository paths in a text, in order."""
    return [one for one in PATH.findall(text) if not one.startswith(MADE_LATER) and one != "deploy/secrets"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(REPOSITORY)))
def test_every_path_in_the_documents_exists(document: Path) -> None:
    missing = [one for one in paths(document.read_text("utf-8")) if not (REPOSITORY / one).exists()]
    assert missing == []


def test_the_trace_names_few_files_each_once() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    trace = text.partition("## Five-minute trace")[2].partition("When something fails")[0]
    found = paths(trace)
    assert len(found) == len(set(found)) <= TRACE_FILES_MAX
    assert len(found) > 10


def tracked() -> list[str]:
    """Every Markdown file of the repository that a person writes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and not name.startswith(GENERATED)]


def long_lines(name: str, text: str) -> list[str]:
    """Where a text has a line of more than LINE_MAX characters, tables included."""
    lines = enumerate(text.splitlines(), 1)
    return [f"{name}:{number} has {len(line)} characters" for number, line in lines if len(line) > LINE_MAX]


def test_no_line_of_a_document_is_long() -> None:
    names = tracked()
    assert {"README.md", "CONTRIBUTING.md", "docs/operations.md"} <= set(names)
    assert [one for name in names for one in long_lines(name, (REPOSITORY / name).read_text("utf-8"))] == []


def test_a_long_line_is_seen() -> None:
    assert long_lines("x.md", "|" + "x" * LINE_MAX + "\n" + "y" * LINE_MAX) == ["x.md:1 has 121 characters"]


@pytest.mark.parametrize("name", tracked())
def test_each_link_within_a_document_leads_to_a_heading(name: str) -> None:
    text = (REPOSITORY / name).read_text("utf-8")
    headings = [
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()) for line in text.splitlines() if line.startswith("#")
    ]
    anchors = {heading.replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - anchors == set()
