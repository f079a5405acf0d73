"""Recomputes a month's scoreboard from `inquiries.events`, by the table in docs/architecture.md, section Scores."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.chaos.audit.capture import Record

CLOCKS = ("accept", "first_reply", "resolve")
ENDS = {"accept": ("part.withdrawn",), "first_reply": ("part.returned", "part.withdrawn")}
ENDS["resolve"] = ENDS["first_reply"]
STOPS = {
    "accept": ("part.accepted", "part.returned"),
    "first_reply": ("inquiry.replied", "part.contributed", "inquiry.answered"),
    "resolve": ("part.contributed",),
}
Counts = dict[str, int]


def recorded(event: Record) -> datetime:
    """The receipt time, stamped at the entry point."""
    return datetime.fromisoformat(event.headers["ce_recordedtime"])


def recount(inquiries: Iterable[list[Record]], board: Mapping[str, Any]) -> dict[str, Counts]:
    """The expected row of each department for the board's period, as of its time."""
    start, end = (datetime.fromisoformat(board["period"][name]) for name in ("from", "to"))
    as_of = datetime.fromisoformat(board["as_of"])
    rows: dict[str, Counts] = defaultdict(lambda: defaultdict(int))
    for events in inquiries:
        known = [event for event in events if recorded(event) <= as_of]
        known.sort(key=lambda event: int(event.headers["ce_sequence"]))
        offers = [one for one in known if one.kind == "part.offered" and start <= recorded(one) < end]
        verdicts = {one.data["part_id"]: {c: verdict(c, one, known, as_of) for c in CLOCKS} for one in offers}
        for offer in offers:
            row = rows[offer.data["department"]]
            row["assigned"] += 1
            for clock, said in verdicts[offer.data["part_id"]].items():
                row[f"{clock}.{said}"] += 1
            _count_part(row, offer.data["part_id"], known, verdicts[offer.data["part_id"]]["first_reply"] == "kept")
    return rows


def _count_part(row: Counts, part_id: str, known: list[Record], reached: bool) -> None:
    """The outcome of one part: contributed, returned, released, rated."""
    in_the_answer = False
    for event in known:
        data = event.data
        row["answered"] += event.kind == "part.contributed" and data["part_id"] == part_id
        row["returned"] += event.kind == "part.returned" and data["part_id"] == part_id
        if event.kind == "inquiry.answered":
            in_the_answer = part_id in data["parts"]
            row["released"] += in_the_answer
            row["joint"] += in_the_answer and len(data["parts"]) > 1
        if event.kind == "inquiry.reopened" and in_the_answer:
            in_the_answer = False
            row["reopened"] += 1
        if event.kind == "inquiry.rated" and in_the_answer:
            row["valid"] += 1
            row["contacted"] += reached
            row["solved"] += data["solved"]
            row["satisfied"] += data["satisfied"] == "yes"
            row["mostly"] += data["satisfied"] == "mostly"


def verdict(clock: str, offer: Record, known: list[Record], as_of: datetime) -> str:
    """The verdict of a clock as of a time; `void` is not counted."""
    due, part_id = datetime.fromisoformat(offer.data["due"][clock]), offer.data["part_id"]
    paused: datetime | None = None
    for event in known:
        rows = [one for one in event.data.get("parts", ()) if isinstance(one, dict) and one["part_id"] == part_id]
        mine = part_id == event.data.get("part_id") or part_id in event.data.get("parts", ())
        if rows and event.kind == "inquiry.paused":
            paused = recorded(event)
        elif rows and event.kind == "inquiry.resumed":
            due, paused = datetime.fromisoformat(rows[0]["due"][clock]), None
        elif mine and event.kind == "part.extended" and clock == "resolve":
            due = datetime.fromisoformat(event.data["until"])
        elif mine and event.kind in (*STOPS[clock], *ENDS[clock]):
            if standing(recorded(event), paused, due) <= due:
                return "kept" if event.kind in STOPS[clock] else "void"
            break
    return "broken" if standing(as_of, paused, due) > due else "open"


def standing(moment: datetime, paused: datetime | None, due: datetime) -> datetime:
    """In a pause that began before the due time, a clock stands at its beginning."""
    return min(moment, paused) if paused is not None and paused < due else moment


def shown(line: Mapping[str, Any]) -> Counts:
    """The figures of a scoreboard row, by the names of the recount."""
    counts: Counts = {**line["volume"], "returned": line["returned"], "joint": line["joint"]}
    counts["reopened"] = line["reopened"]
    counts |= {name: line["ratings"][name] for name in ("valid", "contacted", "solved", "satisfied", "mostly")}
    for clock in CLOCKS:
        counts |= {f"{clock}.{said}": line["clocks"][clock][said] for said in ("kept", "broken", "open")}
    return counts


def share(row: Counts, clock: str) -> str | None:
    """Kept divided by judged, with four decimals, half to even."""
    kept, broken = row[f"{clock}.kept"], row[f"{clock}.broken"]
    if kept + broken == 0:
        return None
    return str((Decimal(kept) / (kept + broken)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))
