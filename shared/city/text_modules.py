"""Text modules: answers and phrases of a department with placeholders, and whose version of a module counts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, StringConstraints

from shared.city.entries import CityEntry, Code, Name, Terms, on_lines
from shared.city.faults import Fault, Loc, nearest, quoted

MODULE_TEXT_MAX = 2_000
MODULES_MAX = 100
"""Text modules of one department."""
MODULES_BYTES_MAX = 100_000
"""The text modules of one department as JSON, so that no department takes the room of the others in a revision."""
PLACEHOLDERS_MAX = 20
"""Placeholders in one text: filled with the longest subject, it stays below the longest contribution."""

TEXT_KINDS = ("answer", "phrase")
PLACEHOLDERS = (
    "inquiry_id",
    "subject",
    "department",
    "received_on",
    "due_on",
    "area",
    "resident_name",
    "city",
    "telephone",
)
PLACEHOLDER = re.compile(r"\{\{([^{}\n]*)\}\}")
_LISTED = ", ".join(f"{{{{{one}}}}}" for one in PLACEHOLDERS)

Paragraphed = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MODULE_TEXT_MAX),
    AfterValidator(on_lines),
]
Key = tuple[str, str]
"""The department and the id of a text module."""


class ModuleText(CityEntry):
    """The text of a module in both languages, at most 2,000 characters each, with placeholders such as `{{subject}}`."""

    zh: Paragraphed
    """The Chinese text."""
    en: Paragraphed
    """The English text."""


class TextModule(CityEntry):
    """An answer or a phrase that a department writes again and again."""

    id: Code
    """The module's id, unique in its department."""
    department: Code
    """The code of the department that uses the module."""
    kind: str = "answer"
    """What the text is: `answer`, a whole contribution, or `phrase`, a piece of one."""
    title: Name
    """What the department calls the module, in both languages."""
    subjects: Terms = ()
    """Terms of subject lines for which the module is meant, as in rules; empty for every subject."""
    categories: tuple[Code, ...] = ()
    """Categories of rules for which the module is meant; empty for every category."""
    text: ModuleText
    """The text in both languages."""

    @property
    def key(self) -> Key:
        return self.department, self.id


class TextOrigin(CityEntry):
    """A text module that somebody wrote or removed at the desk. A module without one is as the city folder has it."""

    department: Code
    """The code of the department."""
    id: Code
    """The id of the module."""
    origin: Literal["desk", "changed", "removed"]
    """`desk`: the folder has no such module; `changed` and `removed`: the folder has one, and the desk another or none."""

    @property
    def key(self) -> Key:
        return self.department, self.id


class MergedTexts(NamedTuple):
    """`kept` are the modules in which the city stays different from the folder, because of the desk."""

    modules: tuple[TextModule, ...]
    origins: tuple[TextOrigin, ...]
    kept: tuple[TextOrigin, ...]


def merged_texts(
    current: Iterable[TextModule],
    origins: Iterable[TextOrigin],
    folder: Iterable[TextModule],
    *,
    folder_wins: bool = False,
) -> MergedTexts:
    """The text modules after a folder was applied. What the desk wrote or removed stays, unless the folder wins.

    The folder never takes away a module that it does not have and that the desk wrote.
    """
    given = {one.key: one for one in folder}
    there = {one.key: one for one in current}
    written = {one.key: one for one in origins}
    modules, kept = dict(given), []
    for key, origin in written.items():
        if key in given and (folder_wins or there.get(key) == given[key]):
            continue
        if key in given and origin.origin == "removed":
            del modules[key]
            kept.append(origin)
        elif key in there:
            modules[key] = there[key]
            kept.append(_origin(key, "changed" if key in given else "desk"))
    return MergedTexts(in_order(modules), tuple(kept), tuple(kept))


def with_text(
    modules: Sequence[TextModule], origins: Sequence[TextOrigin], module: TextModule
) -> tuple[tuple[TextModule, ...], tuple[TextOrigin, ...]]:
    """The modules after somebody wrote one at the desk. The same text again changes nothing, not even its origin."""
    if module in modules:
        return tuple(modules), tuple(origins)
    from_folder = _in_folder(modules, origins, module.key)
    written = _origin(module.key, "changed" if from_folder else "desk")
    there = {one.key: one for one in modules} | {module.key: module}
    return in_order(there), _with_origin(origins, written)


def without_text(
    modules: Sequence[TextModule], origins: Sequence[TextOrigin], key: Key
) -> tuple[tuple[TextModule, ...], tuple[TextOrigin, ...]]:
    """The modules after somebody removed one at the desk."""
    left = {one.key: one for one in modules if one.key != key}
    if _in_folder(modules, origins, key):
        return in_order(left), _with_origin(origins, _origin(key, "removed"))
    return in_order(left), tuple(one for one in origins if one.key != key)


def in_order(modules: Mapping[Key, TextModule]) -> tuple[TextModule, ...]:
    return tuple(modules[key] for key in sorted(modules))


def _origin(key: Key, origin: Literal["desk", "changed", "removed"]) -> TextOrigin:
    return TextOrigin(department=key[0], id=key[1], origin=origin)


def _with_origin(origins: Iterable[TextOrigin], written: TextOrigin) -> tuple[TextOrigin, ...]:
    by_key = {one.key: one for one in origins} | {written.key: written}
    return tuple(by_key[key] for key in sorted(by_key))


def _in_folder(modules: Iterable[TextModule], origins: Iterable[TextOrigin], key: Key) -> bool:
    """Whether the folder that was applied last has this module."""
    known = next((one.origin for one in origins if one.key == key), None)
    return known in ("changed", "removed") or (known is None and any(one.key == key for one in modules))


# ── checks ───────────────────────────────────────────────────────────────────


def contradictory_texts(modules: Mapping[int, TextModule], codes: Iterable[str]) -> Iterator[Fault]:
    """Modules of unknown departments, and ids that a department has twice."""
    known, seen = list(codes), set[Key]()
    for at, one in modules.items():
        if one.department not in known:
            remedy = nearest(one.department, known, "add it to the departments or name an existing one")
            yield Fault(("texts", at, "department"), f"{quoted(one.department)} is not a department; {remedy}")
        if one.key in seen:
            told = f"{quoted(one.id)} is already used as id in this department; each id of a department must be unique"
            yield Fault(("texts", at, "id"), told)
        seen.add(one.key)


def text_faults(at: Loc, module: TextModule, categories: Iterable[str], retired: Iterable[str]) -> Iterator[Fault]:
    """Faults that reject a module somebody writes, but not one of a stored city, which a newer release may have made."""
    if module.department in retired:
        yield Fault((*at, "department"), f"{quoted(module.department)} is retired; name an active department")
    if module.kind not in TEXT_KINDS:
        yield Fault((*at, "kind"), f"{quoted(module.kind)} is unknown; write one of {', '.join(TEXT_KINDS)}")
    known = list(categories)
    for place, one in enumerate(module.categories):
        if one not in known:
            remedy = nearest(one, known, "write a category that a rule sets")
            yield Fault((*at, "categories", place), f"no rule has the category {quoted(one)}; {remedy}")
    for language in ("zh", "en"):
        for told in placeholder_faults(getattr(module.text, language)):
            yield Fault((*at, "text", language), told)


def placeholder_faults(text: str) -> Iterator[str]:
    found = PLACEHOLDER.findall(text)
    for inner in dict.fromkeys(found):
        if inner.strip() not in PLACEHOLDERS:
            yield f"{quoted(f'{{{{{inner}}}}}')} is not a placeholder; the placeholders are {_LISTED}"
    rest = unicodedata.normalize("NFKC", PLACEHOLDER.sub("\0", text))
    if stray := re.search(r"\{\{|\}\}|\{\0|\0\}", rest):
        around = rest[max(0, stray.start() - 5) : stray.end() + 15].replace("\0", "…")
        yield f"the braces near {quoted(around)} are not a placeholder; write one such as {{{{subject}}}}"
    if len(found) > PLACEHOLDERS_MAX:
        yield f"the text has {len(found)} placeholders; use at most {PLACEHOLDERS_MAX}"


def text_limits(modules: Mapping[int, TextModule]) -> Iterator[Fault]:
    """One fault for each department that has too many text modules, or too long ones."""
    count, size = Counter[str](), Counter[str]()
    for at, one in modules.items():
        before = count[one.department] > MODULES_MAX or size[one.department] > MODULES_BYTES_MAX
        count[one.department] += 1
        size[one.department] += len(one.model_dump_json().encode())
        whose = f"with this one, {quoted(one.department)} has"
        if not before and count[one.department] > MODULES_MAX:
            yield Fault(("texts", at), f"{whose} more than {MODULES_MAX} text modules; remove one")
        elif not before and size[one.department] > MODULES_BYTES_MAX:
            yield Fault(
                ("texts", at), f"{whose} text modules of more than {MODULES_BYTES_MAX} bytes; shorten or remove some"
            )
