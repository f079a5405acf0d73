"""Points in time: how they are read and written. Only doors and views ask what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, in UTC, to the millisecond: what a door stamps."""
    present = datetime.now(UTC)
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def from_ms(milliseconds: int) -> datetime:
    """A broker's timestamp as a moment in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, `2026-11-22T09:12:16.123Z`: the form in every header and body."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Read RFC 3339; raises ValueError for anything else or for a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it like 2026-11-22T09:12:16.123Z")
    return moment
