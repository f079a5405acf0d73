"""The order of the departments on the scoreboard: the city's own, or by a column."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Self

from services.scorer.responses import DepartmentScores
from shared.http.problems import FieldProblem, Problem, shown
from shared.runtime.languages import Lang

Order = Literal["asc", "desc"]
Value = int | Decimal | None
COLUMNS: Mapping[str, Callable[[DepartmentScores], Value]] = {
    "assigned": lambda one: one.volume.assigned,
    "answered": lambda one: one.volume.answered,
    "released": lambda one: one.volume.released,
    "accept": lambda one: _share(one.clocks.accept.share),
    "first_reply": lambda one: _share(one.clocks.first_reply.share),
    "resolve": lambda one: _share(one.clocks.resolve.share),
    "ratings": lambda one: one.ratings.valid,
    "solved": lambda one: one.ratings.solved,
    "satisfied": lambda one: one.ratings.satisfied,
    "joint": lambda one: one.joint,
    "returned": lambda one: one.returned,
}
"""The columns with figures, by their name in `?sort=`."""
NAME = "department"
SORTS = (NAME, *COLUMNS)


ORDERS: Mapping[str, Order] = {"asc": "asc", "desc": "desc"}


def requested_choice(field: str, value: str | None, known: Collection[str]) -> None:
    """Raise Problem 422 for a value that the field does not have."""
    if value is not None and value not in known:
        detail = f"{field} {shown(value)} is unknown; write one of {', '.join(known)}"
        raise Problem(422, detail + ".", [FieldProblem(pointer=f"/{field}", detail=detail)])


@dataclass(frozen=True, slots=True)
class Sorted:
    """The column by which rows are sorted, and the order; without a column, the city's own order."""

    column: str | None = None
    order: Order = "desc"

    @classmethod
    def requested(cls, sort: str | None, order: str | None) -> Self:
        """Raises Problem 422 for an unknown column or order."""
        requested_choice("sort", sort, SORTS)
        requested_choice("order", order, ORDERS)
        return cls(sort, ORDERS[order] if order else first_order(sort))

    def rows(self, rows: Sequence[DepartmentScores], lang: Lang) -> list[DepartmentScores]:
        return list(rows) if self.column is None else in_order(rows, self.column, self.order, lang)

    def next_order(self, column: str) -> Order:
        """The order that a click on this column's heading asks for: the other one where it is sorted already."""
        if column != self.column:
            return first_order(column)
        return "desc" if self.order == "asc" else "asc"


CITYS_OWN_ORDER = Sorted()


def first_order(sort: str | None) -> Order:
    """The order in which a reader wants a column first: names from the start, figures from the highest."""
    return "asc" if sort == NAME else "desc"


def in_order(rows: Sequence[DepartmentScores], sort: str, order: Order, lang: Lang) -> list[DepartmentScores]:
    """The rows by a column of SORTS. Equal rows keep the city's order; rows without a value are last in both orders."""
    backwards = order == "desc"
    if sort == NAME:
        return sorted(rows, key=lambda one: _name_key(one, lang), reverse=backwards)
    value = COLUMNS[sort]
    valued = [(found, one) for one in rows if (found := value(one)) is not None]
    rest = [one for one in rows if value(one) is None]
    return [one for _, one in sorted(valued, key=lambda pair: pair[0], reverse=backwards)] + rest


def _name_key(one: DepartmentScores, lang: Lang) -> bytes:
    """English by letters; Chinese by pronunciation, which is the order of common characters in GB 18030."""
    if lang == "en":
        return one.name.en.casefold().encode()
    return one.name.zh.encode("gb18030", errors="replace")


def _share(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
