"""The filters of the desk's list of cases: how they are read from a request, and the query that they become."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from services.router.domain.part import PartState
from services.router.domain.search.query import SearchQuery
from services.router.domain.worklist import SOON
from services.router.stores.case_rows import HAS_OPEN_PART
from shared.contracts.ids import typed_inquiry_id
from shared.http.problems import FieldProblem, Problem, shown
from shared.runtime import timestamps
from shared.store.mongo import Document

Due = Literal["overdue", "soon"]
DUE: tuple[str, ...] = get_args(Due)
PART_STATES: tuple[str, ...] = get_args(PartState)


class CaseFilter(NamedTuple):
    """`has_open`: cases with an open part. `reported`: cases whose entry in the hall a reader has reported since the last
    decision about it. `since` and `until` are times of receipt as the rows have them; `until` itself is not included.
    """

    states: tuple[str, ...] = ()
    department: str | None = None
    lead: str | None = None
    part_state: str | None = None
    has_open: bool = False
    reported: bool = False
    due: str | None = None
    since: str | None = None
    until: str | None = None
    words: SearchQuery | None = None
    inquiry_id: str | None = None
    """The ticket number that the words may be."""

    def query(self, only: str | None, now: datetime) -> Document:
        """The query for rows; with `only`, of cases in which this department has a part, and about its parts.

        It has no `_id` and no `place`, except inside `$and`, so that pages can add them.
        """
        query, more = Document(), list[Document]()
        if self.states:
            query["state"] = self.states[0] if len(self.states) == 1 else {"$in": list(self.states)}
        if department := only or self.department:
            query["departments"] = department
        if only and self.department and self.department != only:
            more.append({"departments": self.department})
        if self.lead:
            query["lead"] = self.lead
        if self.has_open:
            query["$or"] = HAS_OPEN_PART
        if self.reported:
            query["reported_at"] = {"$exists": True, "$ne": None}
        if self.part_state or self.due:
            query["parts"] = {"$elemMatch": self._part(department, now)}
        if self.due == "overdue":
            # Says nothing new, but has an index.
            query["due_at"] = {"$lte": timestamps.to_text(now)}
        received = {"$gte": self.since, "$lt": self.until}
        if received := {name: f"{value}/" for name, value in received.items() if value is not None}:
            more.append({"place": received})
        return query | ({"$and": more} if more else {})

    def _part(self, department: str | None, now: datetime) -> Document:
        part: Document = {}
        if department:
            part["department"] = department
        if self.part_state:
            part["state"] = self.part_state
        if self.due == "overdue":
            part["due_at"] = {"$lte": timestamps.to_text(now)}
        elif self.due == "soon":
            part["due_at"] = {"$gt": timestamps.to_text(now)}
            part["$or"] = [{"due_at": {"$lte": timestamps.to_text(now + SOON)}}, {"reminded": True}]
        return part


def searched(query: str | None) -> tuple[SearchQuery | None, str | None]:
    """A search query and the ticket number that it may be. Raises Problem 422."""
    if query is None:
        return None, None
    try:
        return SearchQuery.read(query), typed_inquiry_id(query)
    except ValueError as error:
        raise _wrong("query", str(error)) from error


def chosen(field: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The values of a field with a fixed set of values, each once. Raises Problem 422."""
    for one in given:
        if one not in known:
            raise _wrong(field, f"{shown(one)} is not a {field} here; write one of {', '.join(known)}")
    return tuple(dict.fromkeys(given))


def received(field: str, given: str | None, zone: ZoneInfo, *, days: int = 0) -> str | None:
    """A time of receipt; a date is the beginning of its day in the city, `days` later. Raises Problem 422."""
    if given is None:
        return None
    try:
        if len(given) == len("2026-11-22"):
            day = date.fromisoformat(given) + timedelta(days=days)
            return timestamps.to_text(datetime.combine(day, time(), zone))
        return timestamps.to_text(timestamps.from_text(given).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        detail = f"{field} {shown(given)} is neither a date nor a time with a time zone"
        raise _wrong(field, f"{detail}; write one like 2026-11-22 or 2026-11-22T09:12:16Z") from error


def _wrong(field: str, detail: str) -> Problem:
    return Problem(422, f"{detail}.", [FieldProblem(pointer=f"/{field}", detail=detail)])
