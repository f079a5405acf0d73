"""Reads and writes timestamps. Only entry points and views read the clock: handlers and domain use recorded times."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, truncated to milliseconds, so that writing and reading it gives the same value."""
    current = datetime.now(UTC)
    return current.replace(microsecond=current.microsecond // 1000 * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Convert a Kafka timestamp, in milliseconds since 1970, to UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """The time in milliseconds since 1970, rounded to the nearest."""
    return round(moment.timestamp() * 1000)


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, `2026-11-22T09:12:16.123Z`: the format of every header and body."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    """Parse RFC 3339. Raises ValueError for another format or a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write a time such as 2026-11-22T09:12:16.123Z")
    return moment
