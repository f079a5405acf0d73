"""Structured logs: one line for each outcome, with its values as fields, never a contact or a message body.

Lines of Chorus and of its libraries are records of the standard library; one chain of processors formats all of them.
"""

import logging
import re
import sys
import traceback
from typing import Any, Literal

import structlog
from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.stdlib import BoundLogger, ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, ExcInfo, Processor

from shared.runtime import timestamps

LogFormat = Literal["text", "json"]

log: BoundLogger = structlog.wrap_logger(
    logging.getLogger("chorus"),
    processors=[structlog.stdlib.render_to_log_kwargs],
    wrapper_class=BoundLogger,
    context_class=dict,
).bind()
MESSAGES_REMEMBERED_MAX = 1_000
# Each logger is listed, because Python does not apply a logger's filter to its child loggers.
KAFKA_LOGGERS = (
    "aiokafka",
    "aiokafka.client",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)
QUOTED_VALUES = re.compile(r"input_value=.*?(?=, input_type=|$)|full error: .*$|dup key: .*$", re.MULTILINE)
"""Where errors of pydantic and MongoDB's driver quote input values: a resident's words must not reach a log."""


def without_values(text: str) -> str:
    """An error message with the input values that it quotes replaced by `…`."""
    return QUOTED_VALUES.sub("…", text)


def formatter(log_format: LogFormat) -> ProcessorFormatter:
    """Formats a record as a line of text, or as one JSON object whose `event` is the message."""
    return ProcessorFormatter(
        processors=_text_processors() if log_format == "text" else _json_processors(), use_get_message=True
    )


def _json_processors() -> list[Processor]:
    return [
        _add_time,
        add_log_level,
        add_logger_name,
        ExtraAdder(),
        ExceptionRenderer(_traceback_without_values),
        _traceback_as_error,
        ProcessorFormatter.remove_processors_meta,
        JSONRenderer(ensure_ascii=False, default=str),
    ]


def _text_processors() -> list[Processor]:
    """Time, level and message, then the fields as name=value, then a traceback on separate lines."""
    columns = [
        Column("at", KeyValueColumnFormatter(None, "", "", lambda at: str(at)[11:23])),
        Column("level", KeyValueColumnFormatter(None, "", "", str, width=7)),
        Column("event", KeyValueColumnFormatter(None, "", "", str)),
        Column("", KeyValueColumnFormatter("", "", "", str)),
    ]
    return [
        _add_time,
        add_log_level,
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


class RepeatFilter(logging.Filter):
    """Drops a message that was logged in the last `every_s` seconds: a client that cannot connect repeats it constantly."""

    def __init__(self, every_s: float = 10.0) -> None:
        super().__init__()
        self.every_s = every_s
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()[:200]
        if record.created - self._logged_at.get(message, 0.0) < self.every_s:
            return False
        if len(self._logged_at) > MESSAGES_REMEMBERED_MAX:
            self._logged_at.clear()
        self._logged_at[message] = record.created
        return True


def set_up(log_format: LogFormat) -> None:
    """Send every log line of this process to standard error in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    repeats = RepeatFilter()
    for name in KAFKA_LOGGERS:
        logging.getLogger(name).addFilter(repeats)
    for noisy in ("aiokafka", "kafka", "httpx", "uvicorn", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
