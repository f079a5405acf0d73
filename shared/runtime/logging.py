"""Structured logs: one line an outcome, with the inquiry's id where there is one, never a contact or a body."""

import json
import logging
import re
import sys
from typing import Any, Literal

from shared.runtime import timestamps

log = logging.getLogger("chorus")
WORDS_REMEMBERED = 1_000
# A filter holds for the logger it is put on, not for those below it.
CLIENTS = (
    "aiokafka",
    "aiokafka.client",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)
QUOTING = re.compile(r"input_value=.*?(?=, input_type=|$)|full error: .*$|dup key: .*$", re.MULTILINE)
"""Where pydantic and the store's driver repeat what they were given: a resident's words must not stand in a log."""
OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def said(record: logging.LogRecord) -> dict[str, Any]:
    """The fields given with `extra`."""
    return {name: value for name, value in vars(record).items() if name not in OWN}


def without_values(text: str) -> str:
    """An error's words without the values that it quotes."""
    return QUOTING.sub("…", text)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, words and fields as JSON."""
        line = {
            "at": timestamps.to_text(timestamps.from_ms(int(record.created * 1000))),
            "level": record.levelname.lower(),
        }
        line |= {"logger": record.name, "says": record.getMessage()} | said(record)
        if record.exc_info:
            line["error"] = without_values(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Words first, then the fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a person reads it."""
        fields = "".join(f" {name}={value}" for name, value in said(record).items())
        at = timestamps.to_text(timestamps.from_ms(int(record.created * 1000)))[11:23]
        line = f"{at} {record.levelname.lower():7} {record.getMessage()}{fields}"
        return f"{line}\n{without_values(self.formatException(record.exc_info))}" if record.exc_info else line


class Seldom(logging.Filter):
    """Lets the same words through once in a while: a client that cannot connect says so many times a second."""

    def __init__(self, every_s: float = 10.0) -> None:
        super().__init__()
        self.every_s = every_s
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether these words were not said lately."""
        words = record.getMessage()[:200]
        if record.created - self._said.get(words, 0.0) < self.every_s:
            return False
        if len(self._said) > WORDS_REMEMBERED:
            self._said.clear()
        self._said[words] = record.created
        return True


def set_up(form: Literal["text", "json"]) -> None:
    """Send every log line of this process to standard error in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    seldom = Seldom()
    for name in CLIENTS:
        logging.getLogger(name).addFilter(seldom)
    for noisy in ("aiokafka", "kafka", "httpx", "uvicorn", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
