"""Every way in which a field of a city can be invalid, derived from the models; used for files and for HTTP."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.city import Department, Name, Rule, TextModule
from shared.city.entries import CityEntry, Paragraphs
from shared.city.parsing import Outline
from shared.city.text_modules import ModuleText
from tests import policy_cases
from tests.policy_cases import POLICIES_AND_CALENDARS, POLICY_MEANT, POLICY_PLACES, TIMES

Loc = tuple[str | int, ...]
NOTHING = policy_cases.NOTHING

GOOD: dict[str, Any] = {
    "name": {"zh": "某城", "en": "Some City"},
    "time_zone": "Asia/Shanghai",
    "telephone": "12345",
    "emergency": {"zh": "着火请打119。", "en": "For a fire, call 119."},
    "scope": {"zh": "本市各部门的事。", "en": "Matters of the city's departments."},
    "privacy": {"zh": "只用于办理。", "en": "Used only to handle it."},
    "departments": [
        {"code": "roads", "name": {"zh": "道路局", "en": "Roads"}, "email": "desk@roads.example"},
        {"code": "lamps", "name": {"zh": "路灯所", "en": "Lamps"}, "parent": "roads", "areas": ["河边"]},
        {"code": "hills", "name": {"zh": "山前", "en": "Hills"}, "kind": "district", "areas": ["山前"]},
        {"code": "signs", "name": {"zh": "路牌所", "en": "Signs"}, "retired": True},
    ],
    "rules": [
        {"id": "bright", "lead": "lamps", "any": ["刺眼"], "why": {"zh": "刺眼", "en": "glare"}},
        {
            "id": "dark",
            "lead": "lamps",
            "co_handlers": ["@area"],
            "any": ["路灯"],
            "all": [["坏", "灭"]],
            "none": ["红绿灯"],
            "areas": ["山前"],
            "channels": ["web"],
            "category": "lights",
            "priority": "urgent",
            "why": {"zh": "路灯", "en": "lamps"},
            "examples": ["路灯坏了"],
        },
    ],
    **POLICIES_AND_CALENDARS,
    "texts": [
        {
            "id": "thanks",
            "department": "lamps",
            "title": {"zh": "感谢", "en": "Thanks"},
            "text": {"zh": "谢谢。", "en": "Thank you."},
        },
        {
            "id": "repaired",
            "department": "lamps",
            "kind": "answer",
            "title": {"zh": "已修复", "en": "Repaired"},
            "subjects": ["路灯"],
            "text": {"zh": "您反映的{{subject}}已修复。", "en": "We have repaired it ({{subject}})."},
        },
    ],
}
PLACES: dict[type[CityEntry], Loc] = {
    Outline: (),
    Department: ("departments", 2),
    Rule: ("rules", 1),
    **POLICY_PLACES,
    TextModule: ("texts", 1),
}
"""The record of each kind whose fields get invalid values."""

CODE = "is not allowed; write 2 to 31 of a-z, 0-9 and -, beginning with a letter"
HOURS = "is not a time; write hours as a number above 0, at most 8784"
MANY = [f"dept-{number}" for number in range(20)]
MEANT: dict[tuple[type[CityEntry], str], list[tuple[Any, str]]] = {
    (Outline, "revision"): [("one", '"one" is not a whole number')],
    (Outline, "name"): [],
    (Outline, "time_zone"): [
        ("Asia/Shangai", '"Asia/Shangai" is not a time zone; write a name of the IANA list'),
        ("../etc/passwd", '"../etc/passwd" is not a time zone'),
        ("", '"" is not a time zone'),
        ("x" * 5_000, f'"{"x" * 60}…" is not a time zone'),
    ],
    (Outline, "telephone"): [
        ("call us", '"call us" is not allowed; write a telephone number such as 12345 or 0731-88880000'),
        ("12", '"12" is not allowed; write a telephone number'),
        ("1" * 41, "characters; write at most 40"),
    ],
    (Outline, "emergency"): [("call 119", '"call 119" is not an object')],
    (Outline, "scope"): [({}, "it is missing; add it")],
    (Outline, "privacy"): [({"zh": "只用于办理。"}, "it is missing; add it")],
    (Outline, "departments"): [],
    (Outline, "rules"): [],
    (Outline, "policies"): [([], "the list is empty; write one policy")],
    (Outline, "calendars"): [],
    (Outline, "public_holidays"): [],
    (Outline, "texts"): [],
    (Outline, "text_origins"): [],
    (Department, "code"): [("roads", '"roads" is already used as code; each code must be unique')],
    (Department, "name"): [],
    (Department, "kind"): [("burrow", '"burrow" is unknown; write one of bureau, district, utility, imported')],
    (Department, "parent"): [
        ("raods", '"raods" is not a department; did you mean "roads"'),
        ("zoo", '"zoo" is not a department; add it to the departments or name an existing one'),
        ("hills", '"hills" is below "hills" itself; name a department above it, or none'),
    ],
    (Department, "email"): [
        ("desk", '"desk" is not allowed; write one address such as desk@roads.example'),
        ("a@b@c", '"a@b@c" is not allowed; write one address'),
        ("x" * 250 + "@y.example", "characters; write at most 254"),
    ],
    (Department, "phones"): [
        (["call us"], '"call us" is not allowed; write a telephone number such as 0731-88880000'),
    ],
    (Department, "areas"): [(["河边"], '"河边" already belongs to "lamps"; an area has one district office')],
    (Department, "retired"): [],
    (Department, "retired_why"): [],
    (Rule, "id"): [("bright", '"bright" is already used as id; each id must be unique')],
    (Rule, "lead"): [
        ("lammps", '"lammps" is not a department; did you mean "lamps"'),
        ("@here", '"@here" is not allowed; write a department\'s code'),
        ("signs", '"signs" is retired; name an active department'),
    ],
    (Rule, "co_handlers"): [
        (["raods"], '"raods" is not a department; did you mean "roads"'),
        (["@here"], '"@here" is not allowed; write departments\' codes'),
        (["signs"], '"signs" is retired; name an active department'),
        (["lamps"], '"lamps" is named twice; name each department once'),
        (MANY, "the rule names 21 departments; name at most 20, the lead included"),
    ],
    (Rule, "any"): [
        (["!!"], 'the term "!!" has no letter or digit and never matches; write a word'),
        (["ab*"], '"ab*" matches too many words; write at least 3 letters before *'),
    ],
    (Rule, "all"): [
        ([[]], "the group is empty and would never match; add terms"),
        ([["路灯", "!!"]], 'the term "!!" has no letter or digit'),
    ],
    (Rule, "none"): [(["!!"], 'the term "!!" has no letter or digit')],
    (Rule, "areas"): [
        (["山后头"], '"山后头" is not an area of any department; write one of a department\'s areas, or its code'),
        (["hils"], '"hils" is not an area of any department; did you mean "hills"'),
    ],
    (Rule, "channels"): [(["Web site"], '"Web site" is not allowed; write the name of a channel such as web')],
    (Rule, "category"): [],
    (Rule, "priority"): [],
    (Rule, "why"): [],
    (Rule, "examples"): [],
    (Name, "zh"): [],
    (Name, "en"): [],
    (Paragraphs, "zh"): [],
    (Paragraphs, "en"): [],
    **POLICY_MEANT,
    (TextModule, "id"): [("thanks", '"thanks" is already used as id in this department; each id of a department')],
    (TextModule, "department"): [
        ("raods", '"raods" is not a department; did you mean "roads"'),
        ("zoo", '"zoo" is not a department; add it to the departments or name an existing one'),
        ("signs", '"signs" is retired; name an active department'),
    ],
    (TextModule, "kind"): [("poem", '"poem" is unknown; write one of answer, phrase')],
    (TextModule, "title"): [],
    (TextModule, "subjects"): [(["!!"], 'the term "!!" has no letter or digit and never matches; write a word')],
    (TextModule, "categories"): [(["lihgts"], 'no rule has the category "lihgts"; did you mean "lights"')],
    (TextModule, "text"): [],
    (ModuleText, "zh"): [
        ("您的{{subjekt}}", '"{{subjekt}}" is not a placeholder; the placeholders are {{inquiry_id}}, {{subject}}, '),
        ("您的{{Subject}}", '"{{Subject}}" is not a placeholder'),
        (
            "您的｛｛subject｝｝",
            'the braces near "您的{{subject}}" are not a placeholder; write one such as {{subject}}',
        ),
        ("您的{{subject}", 'the braces near "您的{{subject}" are not a placeholder'),
        ("您的{{subject}} }}", "are not a placeholder"),
        ("您的{{{subject}}}", "are not a placeholder"),
        ("{{area}}" * 21, "the text has 21 placeholders; use at most 20"),
    ],
    (ModuleText, "en"): [("{{}}", '"{{}}" is not a placeholder')],
}
"""Errors beyond the types, for each field: a new field needs an entry, even an empty one."""


@dataclass(frozen=True)
class Case:
    """An invalid value at one path, and part of the error message. `within`: the path in the message."""

    loc: Loc
    value: Any
    says: str
    within: Loc

    @property
    def name(self) -> str:
        """The test id."""
        return f"{'.'.join(map(str, self.loc))}-{self.says[:50]}".encode("ascii", "backslashreplace").decode()

    def city(self) -> dict[str, Any]:
        """The valid city with this one error."""
        return put(GOOD, self.loc, self.value)


def put(city: dict[str, Any], loc: Loc, value: Any) -> dict[str, Any]:
    """A copy of the city with the value at this path; NOTHING removes the field."""
    changed = node = copy.deepcopy(city)
    for step in loc[:-1]:
        node = node[step]  # type: ignore[index]
    if value is NOTHING:
        del node[loc[-1]]  # type: ignore[arg-type]
    else:
        node[loc[-1]] = value  # type: ignore[index]
    return changed


def cases() -> Iterator[Case]:
    """Every invalid value of every field of every record."""
    for kind, place in PLACES.items():
        yield from _of_record(kind, place)


def _of_record(kind: type[CityEntry], place: Loc) -> Iterator[Case]:
    schema = kind.model_json_schema()
    for name, form in schema["properties"].items():
        loc = (*place, name)
        if name in schema.get("required", ()):
            yield Case(loc, NOTHING, "it is missing; add it", loc)
        yield Case((*place, f"{name}_"), 7, f'there is no such field (its value is "7"); did you mean "{name}"', place)
        for inner, value, says in _wrong(form):
            yield Case(loc, value, says, (*loc, *inner))
        for value, says in MEANT[kind, name]:
            yield Case(loc, value, says, place)
        for nested in (Name, Paragraphs, ModuleText):
            if any(one.get("$ref", "").endswith(f"/{nested.__name__}") for one in (form, *form.get("anyOf", ()))):
                yield from _of_record(nested, loc)


def _wrong(form: dict[str, Any]) -> Iterator[tuple[Loc, Any, str]]:
    """Invalid values, the path inside them that the error names, and part of the message."""
    if "anyOf" in form:
        form = next(one for one in form["anyOf"] if one.get("type") != "null")
    else:
        yield (), None, '"null" '
    if "enum" in form:
        yield from (((), value, "is not one of ") for value in (7, "Nothing", ["a"]))
        return
    match form.get("type"):
        case None:
            yield (), 7, "is not an object; write a JSON object or, in YAML, fields with values"
            yield (), "Some City", "is not an object"
        case "string":
            yield from (((), value, says) for value, says in _wrong_text(form))
        case "array":
            yield (), "one", '"one" is not a list; write it in brackets, [like, this]'
            yield (), {"a": 1}, "is not a list"
            if form.get("minItems"):
                yield (), [], "has 0 entries; write at least 1"
            if form.get("items", {}).get("$ref"):
                yield (0,), [7], "is not an object"
            elif form.get("items"):
                yield from (((0, *inner), [value], says) for inner, value, says in _wrong(form["items"]))
        case "number":
            for value in ("soon", "24", True, 0, -1, 8_785, [24]):
                yield (), value, HOURS
        case "boolean":
            yield (), "perhaps", '"perhaps" is neither true nor false; write one of them'
            yield (), 7, '"7" is neither true nor false'
        case "integer":
            yield (), 1.5, '"1.5" is not a whole number; write one such as 1'
            if "maximum" in form:
                yield (), form["maximum"] + 1, f"is too large; write at most {form['maximum']}"
                yield (), form["minimum"] - 1, f"is too small; write at least {form['minimum']}"
                yield (), "2", '"2" is not a whole number'


def _wrong_text(form: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    if form.get("pattern") in TIMES:
        says, values = TIMES[form["pattern"]]
        yield from ((value, says) for value in values)
        return
    for value in (7, True, ["a"], {"a": 1}):
        yield value, "is not text; write it in quotes"
    if form.keys() & {"pattern", "minLength"}:
        yield "half a \ud83d", '"half a \\ud83d" holds half a character'
    if "pattern" in form:
        yield "", '"" is not allowed; write'
        yield "路 灯", '"路 灯" is not allowed; write'
        yield "a" * 400, f'"{"a" * 60}…" '
        yield "a\0b", '"a\\x00b" is not allowed; write'
    if form.get("minLength"):
        yield "", '"" is empty; write at least one character'
        yield "  ", "is empty; write at least one character"
        yield "a\0b", '"a\\x00b" contains the character U+0000; remove it'
        yield "a\x1b[31m", '"a\\x1b[31m" contains the character U+001B; remove it'
        yield "a\u202eb", '"a\\u202eb" contains the character U+202E; remove it'
    if "maxLength" in form and "pattern" not in form:
        most = form["maxLength"]
        yield "啊" * (most + 1), f'"{"啊" * 60}…" has {most + 1} characters; write at most {most}'


CASES = list(cases())
