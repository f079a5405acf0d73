"""What `chorus apply` shows before it publishes: one line for each entry of the city that changes or deliberately stays."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from shared.city import City
from shared.city.difference import Change, FieldChange
from shared.city.faults import quoted

WHAT = {
    "added": "added",
    "removed": "removed",
    "kept": "stays; the folder does not have it, and `chorus department retire` would retire it",
    "kept-retired": "stays retired; `chorus department add` would bring it back",
    "kept-changed": "stays as its department changed it; with `--texts folder` the folder's text would replace it",
    "kept-removed": "stays removed by its department; with `--texts folder` the folder's text would come back",
}
PLURALS = {
    "department": "departments",
    "rule": "rules",
    "policy": "policies",
    "calendar": "calendars",
    "text": "text modules",
}


def lines(changes: Sequence[Change], city: City) -> Iterator[str]:
    """One line for each change, in the order of the city's files."""
    names = {one.code: f" ({one.name.zh}, {one.name.en})" for one in city.departments}
    for one in changes:
        entry = f"{one.kind} {one.id}".strip()
        if one.kind == "text" and one.what == "kept":
            continue
        if one.fields:
            yield from (f"  {entry}: {_field(change)}" for change in one.fields)
        else:
            yield f"  {entry}{names.get(one.id, '') if one.kind == 'department' else ''}: {WHAT[one.what]}"

    own = Counter(one.id.split("/")[0] for one in changes if one.kind == "text" and one.what == "kept")
    for code, number in own.items():
        yield f"  text modules of {code}: {number} stay that the folder does not have; the department wrote them"


def totals(changes: Sequence[Change]) -> str:
    """How many entries of each kind are added, changed, removed and moved."""
    counts = Counter((one.kind, one.what) for one in changes if one.publishes)
    return ", ".join(f"{_entries(kind, number)} {what}" for (kind, what), number in counts.items())


def document(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The changes as JSON."""
    return [
        {"kind": one.kind, "id": one.id, "change": one.what, "fields": [field._asdict() for field in one.fields]}
        for one in changes
    ]


def _field(change: FieldChange) -> str:
    name, before, after = change
    if isinstance(before, list) and isinstance(after, list) and sorted(map(str, before)) != sorted(map(str, after)):
        gone = [f"- {quoted(one)}" for one in before if one not in after]
        new = [f"+ {quoted(one)}" for one in after if one not in before]
        if gone or new:
            return f"{name} {' '.join([*new, *gone])}"
    return f"{name} {_value(before)} → {_value(after)}"


def _entries(kind: str, number: int) -> str:
    if kind == "city":
        return "the city's texts"
    one = "text module" if kind == "text" else kind
    return f"{number} {one if number == 1 else PLURALS[kind]}"


def _value(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return "nothing" if value in (None, "", [], {}) else quoted(value)
