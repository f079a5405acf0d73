"""Log lines: their fields, formats, and the limit on repeated messages."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import BaseModel

from shared.runtime.logging import Form, Seldom, formatter, log
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
    assert (line["at"], line["says"], line["inquiry_id"]) == (
        "1970-01-01T00:00:03.250Z",
        "decided",
        "20260316-7KQ2M9XD",
    )


@contextmanager
def written(form: Form, *loggers: str) -> Iterator[io.StringIO]:
    """The output of these loggers in this format."""
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
            "says": "let in",
            "inquiry_id": "20260316-7KQ2M9XD",
            "department": "路灯",
        },
        {"level": "warning", "logger": "aiokafka.conn", "says": "No answer from 127.0.0.1:9092"},
    ]


def test_in_text_format_a_traceback_follows_on_separate_lines() -> None:
    with written("text", "chorus") as to:
        log.error("broken", exc_info=ValueError("why"), group="router-core")
    first, *rest = to.getvalue().splitlines()
    assert first[12:] == " error   broken group=router-core"
    assert rest == ["ValueError: why"]


def test_repeated_messages_are_rate_limited_and_others_are_not() -> None:
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
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_logged_with_its_location_and_without_quoted_values(fail: Callable[[], None], form: Form) -> None:
    try:
        fail()
    except (ValueError, DuplicateKeyError):
        record = a_line("broken")
        record.exc_info = sys.exc_info()
    line = formatter(form).format(record)
    assert fail.__name__ in line
    assert WORDS not in line
