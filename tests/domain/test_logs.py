"""Log lines: their fields, formats, and the limit on repeated messages."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import BaseModel

from shared.runtime.logging import LogFormat, RepeatFilter, formatter, log
from shared.store.mongo import DuplicateKeyError


def a_line(words: str, at: float = 0.0, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("chorus", logging.INFO, "x.py", 1, words, None, None)
    record.created = at
    vars(record).update(fields)
    return record


def test_a_text_line_begins_with_the_time_and_ends_with_the_fields() -> None:
    assert formatter("text").format(a_line("decided", 3.25, inquiry_id="20260316-7KQ2M9XD")) == (
        "00:00:03.250 info    decided inquiry_id=20260316-7KQ2M9XD"
    )


def test_a_json_line_is_one_object() -> None:
    line = json.loads(formatter("json").format(a_line("decided", 3.25, inquiry_id="20260316-7KQ2M9XD")))
    assert (line["at"], line["event"], line["inquiry_id"]) == (
        "1970-01-01T00:00:03.250Z",
        "decided",
        "20260316-7KQ2M9XD",
    )


@contextmanager
def written(form: LogFormat, *loggers: str) -> Iterator[io.StringIO]:
    """What these loggers write in this form."""
    to = io.StringIO()
    handler = logging.StreamHandler(to)
    handler.setFormatter(formatter(form))
    before = {name: logging.getLogger(name).level for name in loggers}
    for name in loggers:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        yield to
    finally:
        for name, level in before.items():
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(level)


def test_own_and_library_log_lines_have_the_same_format() -> None:
    with written("json", "chorus", "aiokafka.conn") as to:
        log.info("let in", inquiry_id="20260316-7KQ2M9XD", department="路灯")
        logging.getLogger("aiokafka.conn").warning("No answer from %s", "127.0.0.1:9092")
    lines = [
        {name: value for name, value in json.loads(one).items() if name != "at"} for one in to.getvalue().splitlines()
    ]
    assert "路灯" in to.getvalue()
    assert lines == [
        {
            "level": "info",
            "logger": "chorus",
            "event": "let in",
            "inquiry_id": "20260316-7KQ2M9XD",
            "department": "路灯",
        },
        {"level": "warning", "logger": "aiokafka.conn", "event": "No answer from 127.0.0.1:9092"},
    ]


def test_in_text_format_a_traceback_follows_on_separate_lines() -> None:
    with written("text", "chorus") as to:
        log.error("broken", exc_info=ValueError("why"), group="router-core")
    first, *rest = to.getvalue().splitlines()
    assert first[12:] == " error   broken group=router-core"
    assert rest == ["ValueError: why"]


def test_the_same_words_come_once_in_a_while_and_others_at_once() -> None:
    repeats = RepeatFilter(every_s=10)
    said = [repeats.filter(a_line(words, at)) for words, at in (("a", 100), ("a", 101), ("b", 101), ("a", 111))]
    assert said == [True, False, True, True]


WORDS = "只有我知道的事"


class Letter(BaseModel):
    subject: int


def refused() -> None:
    Letter.model_validate({"subject": WORDS})


def stored_twice() -> None:
    raise DuplicateKeyError(f"E11000 duplicate key error dup key: {{ words: '{WORDS}' }}", 11000, {"errmsg": WORDS})


@pytest.mark.parametrize("fail", [refused, stored_twice])
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_told_with_its_place_and_without_the_values_it_quotes(
    fail: Callable[[], None], form: LogFormat
) -> None:
    try:
        fail()
    except (ValueError, DuplicateKeyError):
        record = a_line("broken")
        record.exc_info = sys.exc_info()
    line = formatter(form).format(record)
    assert fail.__name__ in line
    assert WORDS not in line
