"""Compares a city folder with the city in force: what `chorus apply` would add, change, remove, move and keep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from shared.city.city import City, merge
from shared.city.parsing import DERIVED
from shared.city.text_modules import TextModule, merged_texts

Kind = Literal["city", "department", "rule", "policy", "calendar", "text"]
What = Literal["added", "changed", "removed", "moved", "kept", "kept-retired", "kept-changed", "kept-removed"]
LISTS: Mapping[str, tuple[Kind, str]] = {
    "departments": ("department", "code"),
    "rules": ("rule", "id"),
    "policies": ("policy", "id"),
    "calendars": ("calendar", "id"),
}
"""The lists of a city: what their entries are called, and the field that names an entry."""
NOT_COMPARED = {"revision", "texts", *LISTS, *DERIVED}


class FieldChange(NamedTuple):
    """One field with its value before and after; `name.zh` is a field inside a field."""

    field: str
    before: Any
    after: Any


class Change(NamedTuple):
    """What happens to one entry. The kinds of `kept` tell that a department, or a text of the desk, stays as it is.

    The `id` of a text is its department and its own id: `parks/fallen-tree`.
    """

    kind: Kind
    id: str
    what: What
    fields: tuple[FieldChange, ...] = ()

    @property
    def publishes(self) -> bool:
        """Whether this is a difference, for which a new revision is published."""
        return not self.what.startswith("kept")


def difference(current: City | None, applied: City, *, texts_of_folder: bool = False) -> list[Change]:
    """What applying `applied` changes in `current`: the city's fields, departments, rules, policies, calendars, texts.

    Raises `CityError` when `applied` contradicts departments that the directory keeps.
    """
    merged = merge(current, applied, texts_of_folder=texts_of_folder)
    after = merged.model_dump(mode="json")
    before = current.model_dump(mode="json") if current else {}
    changes = list(_texts(before, after))
    for name, (kind, key) in LISTS.items():
        changes += _entries(kind, key, before.get(name, []), after[name])
    changes += _entries("text", "key", _texts_by_key(current.texts if current else ()), _texts_by_key(merged.texts))
    return changes + list(_kept(current, applied)) + list(_kept_texts(current, applied, texts_of_folder))


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


def _texts_by_key(modules: Sequence[TextModule]) -> list[dict[str, Any]]:
    return [
        {"key": "/".join(one.key), **one.model_dump(mode="json")} for one in sorted(modules, key=lambda one: one.key)
    ]


def _kept_texts(current: City | None, applied: City, texts_of_folder: bool) -> Iterator[Change]:
    """Text modules in which the desk and not the folder counts."""
    if current is None:
        return
    found = merged_texts(current.texts, current.text_origins, applied.texts, folder_wins=texts_of_folder)
    whats: Mapping[str, What] = {"desk": "kept", "changed": "kept-changed", "removed": "kept-removed"}
    yield from (Change("text", "/".join(one.key), whats[one.origin]) for one in found.kept)
