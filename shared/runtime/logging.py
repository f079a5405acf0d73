"""Structured logs: one line an outcome, with the inquiry's id where there is one, never a contact or a body.

Each line, whether ours or a library's, becomes a record of the standard library, and one chain of processors renders it.
"""

import logging
import re
import sys
import traceback
from typing import Any, Literal

import structlog
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter
from structlog.processors import EventRenamer, ExceptionRenderer, JSONRenderer
from structlog.stdlib import BoundLogger, ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, ExcInfo, Processor

from shared.runtime import timestamps

Form = Literal["text", "json"]

log: BoundLogger = structlog.wrap_logger(
    logging.getLogger("chorus"),
    processors=[structlog.stdlib.render_to_log_kwargs],
    wrapper_class=BoundLogger,
    context_class=dict,
).bind()
MESSAGES_REMEMBERED = 1_000
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
QUOTED_VALUES = re.compile(r"input_value=.*?(?=, input_type=|$)|full error: .*$|dup key: .*$", re.MULTILINE)
"""Where pydantic and MongoDB's driver quote the values they were given: a resident's words must not reach a log."""


def without_values(text: str) -> str:
    """An error's text without the values that it quotes."""
    return QUOTED_VALUES.sub("…", text)


def formatter(form: Form) -> ProcessorFormatter:
    """Renders a record as text for people, or as one JSON object."""
    return ProcessorFormatter(
        processors=_text_processors() if form == "text" else _json_processors(), use_get_message=True
    )


def _json_processors() -> list[Processor]:
    return [
        _add_time,
        add_log_level,
        add_logger_name,
        EventRenamer("says"),
        ExtraAdder(),
        ExceptionRenderer(_traceback_without_values),
        _traceback_as_error,
        ProcessorFormatter.remove_processors_meta,
        JSONRenderer(ensure_ascii=False, default=str),
    ]


def _text_processors() -> list[Processor]:
    """Time, level and message, then the fields as name=value, and a traceback on lines of its own."""
    columns = [
        Column("at", KeyValueColumnFormatter(None, "", "", lambda at: str(at)[11:23])),
        Column("level", KeyValueColumnFormatter(None, "", "", str, width=7)),
        Column("says", KeyValueColumnFormatter(None, "", "", str)),
        Column("", KeyValueColumnFormatter("", "", "", str)),
    ]
    return [
        _add_time,
        add_log_level,
        EventRenamer("says"),
        ExtraAdder(),
        ExceptionRenderer(_traceback_without_values),
        ProcessorFormatter.remove_processors_meta,
        ConsoleRenderer(columns=columns, sort_keys=False),
    ]


def _add_time(_: Any, __: str, line: EventDict) -> EventDict:
    record: logging.LogRecord = line["_record"]
    line["at"] = timestamps.to_text(timestamps.from_ms(int(record.created * 1000)))
    return line


def _traceback_without_values(exc_info: ExcInfo) -> str:
    return without_values("".join(traceback.format_exception(*exc_info)).rstrip("\n"))


def _traceback_as_error(_: Any, __: str, line: EventDict) -> EventDict:
    if (text := line.pop("exception", None)) is not None:
        line["error"] = text
    return line


class Seldom(logging.Filter):
    """Lets the same message through once in a while: a client that cannot connect logs it many times a second."""

    def __init__(self, every_s: float = 10.0) -> None:
        super().__init__()
        self.every_s = every_s
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this message was not logged lately."""
        message = record.getMessage()[:200]
        if record.created - self._logged_at.get(message, 0.0) < self.every_s:
            return False
        if len(self._logged_at) > MESSAGES_REMEMBERED:
            self._logged_at.clear()
        self._logged_at[message] = record.created
        return True


def set_up(form: Form) -> None:
    """Send every log line of this process to standard error in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    seldom = Seldom()
    for name in CLIENTS:
        logging.getLogger(name).addFilter(seldom)
    for noisy in ("aiokafka", "kafka", "httpx", "uvicorn", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
