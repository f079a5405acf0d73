"""The documents name only existing paths, and the trace through the code is short."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
MADE_LATER = ("deploy/secrets/", "tests/benchmarks/results/partial")
PATH = re.compile(r"`((?:shared|services|deploy|tests|docs)/[\w./-]*\w)/?`")
TRACE_FILES_MAX = 20


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
