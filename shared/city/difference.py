"""Compares a city folder with the city in force: what `chorus apply` would add, change, remove, move and keep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from shared.city.city import City, merge
from shared.city.parsing import DERIVED

Kind = Literal["city", "department", "rule", "policy", "calendar"]
What = Literal["added", "changed", "removed", "moved", "kept", "kept-retired"]
LISTS: Mapping[str, tuple[Kind, str]] = {
    "departments": ("department", "code"),
    "rules": ("rule", "id"),
    "policies": ("policy", "id"),
    "calendars": ("calendar", "id"),
}
"""The lists of a city: what their entries are called, and the field that names an entry."""
NOT_COMPARED = {"revision", *LISTS, *DERIVED}


class FieldChange(NamedTuple):
    """One field with its value before and after; `name.zh` is a field inside a field."""

    field: str
    before: Any
    after: Any


class Change(NamedTuple):
    """What happens to one entry. `kept` and `kept-retired` tell that a department of the directory stays as it is."""

    kind: Kind
    id: str
    what: What
    fields: tuple[FieldChange, ...] = ()

    @property
    def publishes(self) -> bool:
        """Whether this is a difference, for which a new revision is published."""
        return self.what not in ("kept", "kept-retired")


def difference(current: City | None, applied: City) -> list[Change]:
    """What applying `applied` changes in `current`, in the order texts, departments, rules, policies, calendars.

    Raises `CityError` when `applied` contradicts departments that the directory keeps.
    """
    after = merge(current, applied).model_dump(mode="json")
    before = current.model_dump(mode="json") if current else {}
    changes = list(_texts(before, after))
    for name, (kind, key) in LISTS.items():
        changes += _entries(kind, key, before.get(name, []), after[name])
    return changes + list(_kept(current, applied))


def _texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The fields of the city itself. Of a first city they are no news."""
    fields = [name for name in after if name not in NOT_COMPARED] if before else []
    changed = tuple(_fields({name: before.get(name) for name in fields}, {name: after[name] for name in fields}))
    if changed:
        yield Change("city", "", "changed", changed)


def _entries(
    kind: Kind, key: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    old, new = {one[key]: one for one in before}, {one[key]: one for one in after}
    for id_, entry in new.items():
        if id_ not in old:
            yield Change(kind, id_, "added")
        elif changed := tuple(_fields(old[id_], entry)):
            yield Change(kind, id_, "changed", changed)
    yield from (Change(kind, id_, "removed") for id_ in old if id_ not in new)
    yield from _moved(kind, [one for one in old if one in new], [one for one in new if one in old])


def _moved(kind: Kind, before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """Entries in another place among those that stay: the first matching rule wins, so their order counts."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    still = {before[at] for block in blocks for at in range(block.a, block.a + block.size)}
    for id_ in after:
        if id_ not in still:
            yield Change(kind, id_, "moved", (FieldChange("place", before.index(id_) + 1, after.index(id_) + 1),))


def _fields(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """The fields that differ, down to the fields of nested objects; a list is one field."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _fields(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield FieldChange(path, before, after)


def _kept(current: City | None, applied: City) -> Iterable[Change]:
    """Departments that applying neither removes nor brings back."""
    in_folder = {one.code: one for one in applied.departments}
    for one in current.departments if current else ():
        if one.retired and one.code in in_folder:
            yield Change("department", one.code, "kept-retired")
        elif not one.retired and one.code not in in_folder:
            yield Change("department", one.code, "kept")
