"""The docstring of each service's `__init__.py` lists what the service reads, writes and stores."""

import importlib
import re
from pathlib import Path

import pytest

from shared.contracts.sources import SERVICES
from shared.kafka import topics
from tests.contract.test_flow import DEAD_LETTERS, channels, made

REPOSITORY = Path(__file__).parents[2]


def said(name: str) -> dict[str, set[str]]:
    """The lists of the docstring, by their first word."""
    text = importlib.import_module(f"services.{name}").__doc__ or ""
    found: dict[str, set[str]] = {}
    key = ""
    for line in text.splitlines()[2:]:
        first = re.match(r"(reads|writes|stores)\s+", line)
        key = first[1] if first else key
        rest = line[first.end() :] if first else line
        if rest.strip():
            found.setdefault(key, set()).update(re.findall(r"[\w.*<>-]*[.*_<][\w.*<>-]*|\b[a-z_]+\b", rest))
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_the_docstring_lists_the_topics_read(name: str, tmp_path: Path) -> None:
    header = said(name)["reads"]
    options = [one.options for one in made(name, tmp_path).subscriptions]
    reads = {topic for one in options for topic in one.topics} | {
        "departments.*.outbox" for one in options if one.pattern
    }
    groups = {one.group for one in options if one.group and one.group != f"{name}-replays"}
    # The docstring names groups in parentheses after the topic.
    assert {one for one in header if "." in one} == reads
    assert groups <= set(re.findall(r"\(([\w-]+)\)", importlib.import_module(f"services.{name}").__doc__ or ""))


@pytest.mark.parametrize("name", SERVICES)
def test_the_docstring_lists_the_topics_written(name: str, tmp_path: Path) -> None:
    writes = channels(made(name, tmp_path), "send") - {DEAD_LETTERS} | {topics.dead_letters(name)}
    assert said(name)["writes"] == writes


@pytest.mark.parametrize("name", SERVICES)
def test_the_docstring_lists_the_collections(name: str) -> None:
    code = "\n".join(one.read_text("utf-8") for one in (REPOSITORY / "services" / name).rglob("*.py"))
    stores = set(re.findall(r'database\["(\w+)"\]', code))
    for ledger in re.findall(r'Ledger\(service\.database, "(\w+)"\)', code):
        stores |= {ledger, "unpublished"}
    assert said(name)["stores"] == stores | {f"chorus_{name}"}
