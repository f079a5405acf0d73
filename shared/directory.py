"""Owns what a city is: departments, the rules that assign to them, policies; read from a folder of YAML."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

MOST_DEPARTMENTS = 20
"""On one inquiry, and so in one rule."""

AREA_OFFICE = "@area"
"""In a rule, instead of a code: the district office of the area that the message names."""

_SHORTEST_START = 3

KINDS = ("bureau", "district", "utility", "imported")

CODE_PATTERN = r"^[a-z][a-z0-9-]{1,30}$"
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
Handler = Annotated[str, StringConstraints(pattern=rf"{CODE_PATTERN}|^{AREA_OFFICE}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Terms = tuple[Text, ...]
Hours = Annotated[float, Field(gt=0, le=24 * 366)]


class Record(BaseModel):
    """Frozen; fields it does not know are skipped, so that an older reader survives a newer revision."""

    model_config = ConfigDict(frozen=True)


class Name(Record):
    zh: Text
    en: Text


class Department(Record):
    code: Code
    name: Name
    kind: str = "bureau"
    parent: Code | None = None
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    areas: Terms = ()
    retired: bool = False


class Rule(Record):
    """Holds when one of `any`, one of each group of `all` and none of `none` are found, in its areas and
    channels.

    Whatever is left empty asks for nothing. `examples` are messages this very rule must assign.
    """

    id: Code
    lead: Handler
    co_handlers: tuple[Handler, ...] = ()
    any: Terms = ()
    all: tuple[Terms, ...] = ()
    none: Terms = ()
    areas: Terms = ()
    channels: Terms = ()
    why: Name
    examples: Terms = ()

    @property
    def departments(self) -> tuple[str, ...]:
        """The lead first."""
        return (self.lead, *self.co_handlers)


class Policy(Record):
    """Natural hours from the assignment within which each clock must stop."""

    id: Code
    accept_h: Hours
    first_reply_h: Hours
    resolve_h: Hours


class City(Record):
    revision: int = 0
    name: Name
    time_zone: str
    departments: tuple[Department, ...]
    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if problems := tuple(contradictions(self)):
            raise ValueError(" ".join(problems))
        return self

    def department(self, code: str) -> Department | None:
        return next((one for one in self.departments if one.code == code), None)

    @property
    def active(self) -> tuple[Department, ...]:
        return tuple(one for one in self.departments if not one.retired)


class CityError(ValueError):
    """Everything that is wrong with a city, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


# What the parts of a city must agree on


def contradictions(city: City) -> Iterator[str]:
    """What contradicts itself, in sentences.

    A rule may name a retired department, because `retire` leaves rules alone.
    """
    yield from _wrong_zone(city.time_zone)
    yield from _repeated("departments.yaml", "code", [one.code for one in city.departments])
    yield from _repeated("rules.yaml", "id", [one.id for one in city.rules])
    yield from _repeated("policies.yaml", "id", [one.id for one in city.policies])
    yield from _wrong_parents(city)
    yield from _shared_areas(city)
    known = [one.code for one in city.departments]
    areas = [name for one in city.departments if one.areas for name in (one.code, *one.areas)]
    for rule in city.rules:
        yield from _wrong_rule(rule, known, areas)
    for policy in city.policies:
        yield from _wrong_policy(policy)
    if not city.policies:
        yield "policies.yaml: there is no policy; write one, with id, accept_h, first_reply_h and resolve_h."


def _wrong_zone(zone: str) -> Iterator[str]:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        yield (
            f'city.yaml, field time_zone: "{zone}" is not a time zone; '
            'write a name of the IANA list such as "Asia/Shanghai".'
        )


def _repeated(file: str, field: str, values: Sequence[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f'{file}, field {field}: "{value}" stands there {times} times; each {field} may stand once.'


def _wrong_parents(city: City) -> Iterator[str]:
    parents = {one.code: one.parent for one in city.departments}
    for code, parent in parents.items():
        place = f'departments.yaml, department "{code}", field parent'
        if parent is None:
            continue
        if parent not in parents:
            yield f'{place}: "{parent}" is not a department; {_nearest(parent, list(parents))}.'
        elif code in _ancestors(code, parents):
            yield f'{place}: "{parent}" is below "{code}" itself; name one that is above it, or none.'


def _ancestors(code: str, parents: dict[str, str | None]) -> set[str]:
    seen: set[str] = set()
    above = parents.get(code)
    while above is not None and above not in seen:
        seen.add(above)
        above = parents.get(above)
    return seen


def _shared_areas(city: City) -> Iterator[str]:
    owner: dict[str, str] = {}
    for department in city.departments:
        for area in department.areas:
            first = owner.setdefault(area, department.code)
            if first != department.code:
                yield (
                    f'departments.yaml, department "{department.code}", field areas: "{area}" belongs to '
                    f'"{first}" already; an area has one office.'
                )


def _wrong_rule(rule: Rule, known: Sequence[str], areas: Sequence[str]) -> Iterator[str]:
    place = f'rules.yaml, rule "{rule.id}"'
    for field, codes in (("lead", rule.departments[:1]), ("co_handlers", rule.co_handlers)):
        for code in codes:
            if code not in known and code != AREA_OFFICE:
                yield f'{place}, field {field}: "{code}" is not a department; {_nearest(code, known)}.'
    for code, times in Counter(rule.departments).items():
        if times > 1:
            yield f'{place}, field co_handlers: "{code}" is named {times} times; name each department once.'
    if len(rule.departments) > MOST_DEPARTMENTS:
        yield (
            f"{place}, field co_handlers: the rule names {len(rule.departments)} departments; "
            f"name at most {MOST_DEPARTMENTS}, the lead included."
        )
    if not (rule.any or rule.all or rule.areas or rule.channels):
        yield f"{place}: it would hold for every message; give it one or more of any, all, areas, channels."
    for number, group in enumerate(rule.all):
        if not group:
            yield f"{place}, field all[{number}]: the group is empty and could never hold; give it terms."
    for area in rule.areas:
        if area not in areas:
            yield f'{place}, field areas: "{area}" is no area of any department; {_nearest(area, areas)}.'
    for term in (*rule.any, *(term for group in rule.all for term in group), *rule.none):
        yield from _wrong_term(place, term)


def _wrong_term(place: str, term: str) -> Iterator[str]:
    if not any(character.isalnum() for character in term):
        yield f'{place}: the term "{term}" has neither letter nor digit and is never found; write a word.'
    elif term.endswith("*") and len(term) < _SHORTEST_START + 1:
        yield f'{place}: "{term}" begins too many words; write {_SHORTEST_START} letters or more before *.'


def _wrong_policy(policy: Policy) -> Iterator[str]:
    if not policy.accept_h <= policy.first_reply_h <= policy.resolve_h:
        yield (
            f'policies.yaml, policy "{policy.id}": accept_h {policy.accept_h:g}, first_reply_h '
            f"{policy.first_reply_h:g} and resolve_h {policy.resolve_h:g} run backwards; "
            "each must be at least the one before."
        )


def _nearest(value: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1)
    return f'did you mean "{near[0]}"' if near else "add it to departments.yaml or name one that is there"


# Reading a folder

Entry = TypeVar("Entry", bound=Record)


def load_city(folder: Path) -> City:
    """Read city.yaml, departments.yaml, policies.yaml, and rules.yaml or rules/*.yaml in their names' order.

    Raises `CityError` with a sentence for every problem of every file; what the files must agree on is looked
    at once each of them can be read.
    """
    return _Reading(folder).city()


class _Reading:
    """One pass over a folder that goes on after a problem, so that all of them can be told at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[str] = []

    def city(self) -> City:
        departments = self._entries("departments.yaml", "department", "code", Department)
        rules = [rule for file in self._rule_files() for rule in self._entries(file, "rule", "id", Rule)]
        policies = self._entries("policies.yaml", "policy", "id", Policy)
        about = self._about()
        if self._problems:
            raise CityError(self._problems)
        assert about is not None
        city = City.model_construct(
            name=about.name,
            time_zone=about.time_zone,
            departments=tuple(departments),
            rules=tuple(rules),
            policies=tuple(policies),
        )
        return _agreed(city, (*contradictions(city), *_only_in_a_folder(city)))

    def _about(self) -> "_About | None":
        given = self._yaml("city.yaml")
        return None if given is None else self._entry("city.yaml", given, _About)

    def _rule_files(self) -> list[str]:
        single = ["rules.yaml"] if (self._folder / "rules.yaml").exists() else []
        several = [f"rules/{path.name}" for path in sorted((self._folder / "rules").glob("*.yaml"))]
        return single + several or ["rules.yaml"]

    def _entries(self, file: str, word: str, key: str, kind: type[Entry]) -> list[Entry]:
        given = self._yaml(file)
        if given is None:
            return []
        if not isinstance(given, list):
            self._problems.append(
                f"{file}: {_quoted(given)} is not a list; write one entry a {word}, each begun with '- '."
            )
            return []
        read = [
            self._entry(f"{file}, {_place(word, key, at, one)}", one, kind) for at, one in enumerate(given, 1)
        ]
        return [one for one in read if one is not None]

    def _entry(self, place: str, given: Any, kind: type[Entry]) -> Entry | None:
        try:
            return kind.model_validate(given, extra="forbid")
        except ValidationError as error:
            self._problems += [_sentence(place, one, kind) for one in error.errors()]
            return None

    def _yaml(self, file: str) -> Any:
        """The file's content; None, and a problem noted, when there is none to be had."""
        try:
            given = yaml.load((self._folder / file).read_text(encoding="utf-8"), Loader=_StrictLoader)
        except FileNotFoundError:
            self._problems.append(f'{file}: there is no such file in "{self._folder}"; add it.')
            return None
        except UnicodeDecodeError as error:
            self._problems.append(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8.")
            return None
        except yaml.YAMLError as error:
            self._problems.append(
                f"{file}: this is not YAML ({' '.join(str(error).split())}); correct it there."
            )
            return None
        if given is None:
            self._problems.append(f"{file}: the file is empty; write its entries or see the sample city.")
        return given


class _About(Record):
    name: Name
    time_zone: str


class _StrictLoader(yaml.SafeLoader):
    """YAML lets a key stand twice and keeps the last in silence; a city must not lose a line like that."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f'the key "{key}" stands twice', problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _only_in_a_folder(city: City) -> Iterator[str]:
    """What a written city must keep to and a running one may break.

    `retire` leaves rules alone, and a newer writer may know more kinds.
    """
    retired = {one.code for one in city.departments if one.retired}
    for department in city.departments:
        if department.kind not in KINDS:
            yield (
                f'departments.yaml, department "{department.code}", field kind: "{department.kind}" '
                f"is unknown; write one of {', '.join(KINDS)}."
            )
    for rule in city.rules:
        for code in retired.intersection(rule.departments):
            yield f'rules.yaml, rule "{rule.id}": "{code}" is retired; name a department that still answers.'


def _agreed(city: City, problems: Sequence[str]) -> City:
    if problems:
        raise CityError(problems)
    return city


def _place(word: str, key: str, at: int, given: Any) -> str:
    named = given.get(key) if isinstance(given, dict) else None
    return f'{word} "{named}"' if isinstance(named, str) and named else f"{word} {at}"


def _sentence(place: str, error: ErrorDetails, kind: type[Record]) -> str:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    where = f"{place}, field {field}" if field else place
    value = _quoted(error["input"])
    match error["type"]:
        case "missing":
            return f"{where}: it is missing; write it."
        case "extra_forbidden":
            return f"{where}: there is no such field (its value is {value}); {_meant(kind, error['loc'])}."
        case "string_type":
            return f"{where}: {value} is not text; write it in quotes."
        case "tuple_type":
            return f"{where}: {value} is not a list; write it in brackets, [like, this]."
        case "string_pattern_mismatch":
            return f"{where}: {value} is not allowed; {_FORMS.get(str(error['loc'][0]), _CODE_FORM)}."
        case "string_too_short":
            return f"{where}: {value} is empty; write at least one character."
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{where}: {value} is not a set of fields; write lines of 'field: value'."
        case "float_type" | "float_parsing" | "greater_than" | "less_than_equal":
            return f"{where}: {value} is not a time; write hours as a number above 0, at most {24 * 366}."
        case "bool_type" | "bool_parsing":
            return f"{where}: {value} is neither true nor false; write one of them."
        case _:
            return f"{where}: {value} is wrong: {error['msg'].lower()}."


_CODE_FORM = "write 2 to 31 of a-z, 0-9 and -, beginning with a letter"
_FORMS = {
    "email": "write one address such as desk@roads.example",
    "lead": f"write a department's code ({_CODE_FORM[6:]}) or {AREA_OFFICE}",
    "co_handlers": f"write departments' codes ({_CODE_FORM[6:]}) or {AREA_OFFICE}",
}


def _meant(kind: type[Record], loc: tuple[int | str, ...]) -> str:
    """The one nested record there is, is a name."""
    known = list(kind.model_fields if len(loc) == 1 else Name.model_fields)
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f'did you mean "{near[0]}"' if near else f"known are {', '.join(known)}"


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


# Changing a running city


def merge(current: City | None, applied: City) -> City:
    """The city after `applied` was applied to `current`; the caller sets the revision.

    Name, time zone, rules and policies are the applied ones. Departments are added or updated, never removed,
    and one that is retired stays so whatever the folder says: only `retire` retires and only
    `put_department` revives.
    """
    if current is None:
        return applied
    given = {one.code: one for one in applied.departments}
    kept = tuple(
        given.pop(one.code, one).model_copy(update={"retired": one.retired}) for one in current.departments
    )
    return _changed(applied, revision=current.revision, departments=kept + tuple(given.values()))


def put_department(city: City, department: Department) -> City:
    """Add it, or replace the one of its code; a retired one comes back when it is put as not retired."""
    others = tuple(department if one.code == department.code else one for one in city.departments)
    return _changed(city, departments=others if city.department(department.code) else (*others, department))


def retire(city: City, code: str) -> City:
    """Rules that name it stay as they are: matching passes over it, and over a rule that has nobody else.

    Raises `CityError` when the city has no such department.
    """
    department = city.department(code)
    if department is None:
        raise CityError(
            [f'"{code}" is not a department; {_nearest(code, [one.code for one in city.departments])}.']
        )
    return put_department(city, department.model_copy(update={"retired": True}))


def _changed(city: City, **fields: object) -> City:
    changed = city.model_copy(update=fields)
    return _agreed(changed, tuple(contradictions(changed)))
