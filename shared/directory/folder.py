"""Reads a city from a folder of YAML, or tells everything that is wrong with it."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.directory.agreement import contradictions
from shared.directory.city import City, CityError
from shared.directory.records import AREA_OFFICE, KINDS, Department, Name, Policy, Record, Rule

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
        parts = (about.time_zone, departments, rules, policies)
        if problems := (*contradictions(*parts), *_only_in_a_folder(departments, rules)):
            raise CityError(problems)
        return City(
            name=about.name,
            time_zone=about.time_zone,
            departments=tuple(departments),
            rules=tuple(rules),
            policies=tuple(policies),
        )

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
        read = [self._entry(f"{file}, {_place(word, key, at, one)}", one, kind) for at, one in enumerate(given, 1)]
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
            self._problems.append(f"{file}: this is not YAML ({' '.join(str(error).split())}); correct it there.")
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
                raise yaml.MarkedYAMLError(problem=f'the key "{key}" stands twice', problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _only_in_a_folder(departments: Sequence[Department], rules: Sequence[Rule]) -> Iterator[str]:
    """What a written city must keep to and a running one may break.

    `retire` leaves rules alone, and a newer writer may know more kinds.
    """
    retired = {one.code for one in departments if one.retired}
    for department in departments:
        if department.kind not in KINDS:
            yield (
                f'departments.yaml, department "{department.code}", field kind: "{department.kind}" '
                f"is unknown; write one of {', '.join(KINDS)}."
            )
    for rule in rules:
        for code in sorted(retired.intersection(rule.departments)):
            yield f'rules.yaml, rule "{rule.id}": "{code}" is retired; name a department that still answers.'


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
