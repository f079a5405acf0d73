"""What a log line carries, and how often the same words are let through."""

import json
import logging
import sys
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from shared.runtime.logging import JsonLines, Seldom, TextLines
from shared.store.mongo import DuplicateKeyError


def a_line(words: str, at: float = 0.0, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("chorus", logging.INFO, "x.py", 1, words, None, None)
    record.created = at
    vars(record).update(fields)
    return record


def test_a_line_for_people_begins_with_the_time_and_ends_with_the_fields() -> None:
    assert TextLines().format(a_line("decided", 3.25, inquiry_id="20260316-7KQ2M9XD")) == (
        "00:00:03.250 info    decided inquiry_id=20260316-7KQ2M9XD"
    )


def test_a_line_for_programs_is_one_json_object() -> None:
    line = json.loads(JsonLines().format(a_line("decided", 3.25, inquiry_id="20260316-7KQ2M9XD")))
    assert (line["at"], line["says"], line["inquiry_id"]) == (
        "1970-01-01T00:00:03.250Z",
        "decided",
        "20260316-7KQ2M9XD",
    )


def test_the_same_words_come_once_in_a_while_and_others_at_once() -> None:
    seldom = Seldom(every_s=10)
    said = [seldom.filter(a_line(words, at)) for words, at in (("a", 100), ("a", 101), ("b", 101), ("a", 111))]
    assert said == [True, False, True, True]


WORDS = "只有我知道的事"


class Letter(BaseModel):
    subject: int


def refused() -> None:
    Letter.model_validate({"subject": WORDS})


def stored_twice() -> None:
    raise DuplicateKeyError(f"E11000 duplicate key error dup key: {{ words: '{WORDS}' }}", 11000, {"errmsg": WORDS})


@pytest.mark.parametrize("fail", [refused, stored_twice])
@pytest.mark.parametrize("form", [TextLines, JsonLines])
def test_an_error_is_told_with_its_place_and_without_the_values_it_quotes(
    fail: Callable[[], None], form: type[logging.Formatter]
) -> None:
    try:
        fail()
    except (ValueError, DuplicateKeyError):
        record = a_line("broken")
        record.exc_info = sys.exc_info()
    line = form().format(record)
    assert fail.__name__ in line
    assert WORDS not in line
