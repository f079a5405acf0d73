"""A city folder is read whole, or every one of its problems is told in a sentence."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.directory import (
    City,
    CityError,
    Department,
    Name,
    Policy,
    Rule,
    load_city,
    merge,
    put_department,
    retire,
)

GOOD = {
    "city.yaml": "name: {zh: 某城, en: Some City}\ntime_zone: Asia/Shanghai\n",
    "departments.yaml": (
        "- {code: roads, name: {zh: 道路局, en: Roads}, email: desk@roads.example}\n"
        "- {code: lamps, name: {zh: 路灯所, en: Lamps}, parent: roads}\n"
        "- {code: hills, kind: district, name: {zh: 山前, en: Hills}, areas: [山前]}\n"
    ),
    "rules.yaml": ("- {id: dark, lead: lamps, co_handlers: ['@area'], any: [路灯], why: {zh: 路灯, en: lamps}}\n"),
    "policies.yaml": "- {id: standard, accept_h: 24, first_reply_h: 72, resolve_h: 360}\n",
}


def write(folder: Path, **changed: str) -> Path:
    """The good files with those of the given stems in their place; an empty one is left out."""
    for name, text in {**GOOD, **{f"{stem}.yaml": text for stem, text in changed.items()}}.items():
        if text:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, **changed: str) -> tuple[str, ...]:
    with pytest.raises(CityError) as told:
        load_city(write(folder, **changed))
    return told.value.problems


def department(code: str, **more: object) -> str:
    fields = {"code": code, "name": "{zh: 局, en: Bureau}", **more}
    return "- {" + ", ".join(f"{field}: {value}" for field, value in fields.items()) + "}\n"


def rule(**more: object) -> str:
    fields = {"id": "dark", "lead": "lamps", "any": "[路灯]", "why": "{zh: 路灯, en: lamps}", **more}
    return "- {" + ", ".join(f"{field}: {value}" for field, value in fields.items() if value != "") + "}\n"


def test_a_good_folder_is_read(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    assert city.name == Name(zh="某城", en="Some City")
    assert [one.code for one in city.departments] == ["roads", "lamps", "hills"]
    assert city.rules[0].departments == ("lamps", "@area")
    assert city.policies == (Policy(id="standard", accept_h=24, first_reply_h=72, resolve_h=360),)
    assert city.revision == 0


def test_rules_may_lie_in_a_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = write(tmp_path, rules="")
    (folder / "rules").mkdir()
    for name in ("2-later", "1-first"):
        (folder / "rules" / f"{name}.yaml").write_text(rule(id=f"r{name}"), encoding="utf-8")
    assert [one.id for one in load_city(folder).rules] == ["r1-first", "r2-later"]


def test_a_city_survives_json(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    assert City.model_validate_json(city.model_dump_json()) == city


def test_a_reader_skips_fields_that_a_newer_writer_added(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    newer = city.model_dump() | {"mayor": "nobody"}
    assert City.model_validate(newer) == city


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (department("Roads"), 'department "Roads", field code: "Roads" is not allowed; write 2 to 31 of a-z'),
        (department("r"), 'field code: "r" is not allowed'),
        (department("12"), 'department 1, field code: "12" is not text; write it in quotes.'),
        ("- {name: {zh: 局, en: B}}\n", "department 1, field code: it is missing; write it."),
        ("- {code: roads}\n", 'department "roads", field name: it is missing; write it.'),
        ("- {code: roads, name: 道路}\n", 'field name: "道路" is not a set of fields; write lines of'),
        ("- {code: roads, name: {zh: 路}}\n", "field name.en: it is missing; write it."),
        (
            "- {code: roads, name: {zh: '', en: R}}\n",
            'field name.zh: "" is empty; write at least one character.',
        ),
        ("- {code: roads, name: {zh: 路, eng: R, en: R}}\n", "field name.eng: there is no such field"),
        (
            department("roads", parrent="x"),
            'field parrent: there is no such field (its value is "x"); did you mean "parent".',
        ),
        (department("roads", colour="red"), "known are code, name, kind, parent, email, areas, retired, retired_why."),
        (department("roads", email="desk"), 'field email: "desk" is not allowed; write one address such as'),
        (department("roads", areas="山前"), 'field areas: "山前" is not a list; write it in brackets'),
        (department("roads", areas="[7]"), 'field areas[0]: "7" is not text; write it in quotes.'),
        (department("roads", retired="perhaps"), '"perhaps" is neither true nor false; write one of them.'),
        (
            department("roads", kind="burrow"),
            'field kind: "burrow" is unknown; write one of bureau, district',
        ),
        (
            department("roads", parent="raods"),
            'field parent: "raods" is not a department; did you mean "roads".',
        ),
        (department("roads", parent="roads"), 'field parent: "roads" is below "roads" itself'),
        (
            department("aa", parent="bb") + department("bb", parent="aa"),
            'department "aa", field parent: "bb" is below',
        ),
        (department("roads") * 2, 'field code: "roads" stands there 2 times; each code may stand once.'),
        (department("aa", areas="[x]") + department("bb", areas="[x]"), '"x" belongs to "aa" already'),
        ("7\n", 'departments.yaml: "7" is not a list; write one entry a department'),
        ("- 7\n", 'department 1: "7" is not a set of fields'),
        ("# nothing\n", "departments.yaml: the file is empty"),
        ("- {code: [\n", "departments.yaml: this is not YAML"),
        ("- {code: aa, code: bb}\n", 'the key "code" stands twice'),
        ("", "departments.yaml: there is no such file in"),
    ],
)
def test_every_problem_of_a_department_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in "\n".join(problems(tmp_path, departments=text, rules=rule(lead="'@area'")))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (rule(id="Dark"), 'rule "Dark", field id: "Dark" is not allowed'),
        (rule(id=""), "rule 1, field id: it is missing; write it."),
        (rule() * 2, 'field id: "dark" stands there 2 times'),
        (rule(lead=""), "field lead: it is missing; write it."),
        (rule(lead="lammps"), 'rule "dark", field lead: "lammps" is not a department; did you mean "lamps".'),
        (rule(lead="zoo"), "add it to departments.yaml or name one that is there."),
        (rule(lead="'@here'"), 'field lead: "@here" is not allowed; write a department\'s code'),
        (rule(co_handlers="[Roads]"), 'field co_handlers[0]: "Roads" is not allowed'),
        (
            rule(co_handlers="[raods]"),
            'field co_handlers: "raods" is not a department; did you mean "roads".',
        ),
        (
            rule(co_handlers="[lamps]"),
            'field co_handlers: "lamps" is named 2 times; name each department once.',
        ),
        (rule(any="[no]"), 'field any[0]: "False" is not text; write it in quotes.'),
        (rule(any="路灯"), 'field any: "路灯" is not a list'),
        (rule(any="['!!']"), 'the term "!!" has neither letter nor digit'),
        (rule(any="['ab*']"), '"ab*" begins too many words; write 3 letters or more before *.'),
        (rule(any=""), "it would hold for every message"),
        (rule(all="[路灯]"), 'field all[0]: "路灯" is not a list'),
        (rule(all="[[]]"), "field all[0]: the group is empty and could never hold"),
        (rule(areas="[山后]"), 'field areas: "山后" is no area of any department'),
        (rule(why=""), "field why: it is missing; write it."),
        (rule(why="路灯"), 'field why: "路灯" is not a set of fields'),
        (
            rule(channel="[web]"),
            'field channel: there is no such field (its value is "[\'web\']"); did you mean "channels".',
        ),
    ],
)
def test_every_problem_of_a_rule_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    told = problems(tmp_path, rules=text)
    assert sentence in "\n".join(told)
    assert all(one.startswith("rules.yaml") and one.endswith(".") for one in told)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]\n", "policies.yaml: there is no policy; write one"),
        (
            "- {id: p1, accept_h: -1, first_reply_h: 2, resolve_h: 3}\n",
            '"-1" is not a time; write hours as a number above 0',
        ),
        (
            "- {id: p1, accept_h: soon, first_reply_h: 2, resolve_h: 3}\n",
            'field accept_h: "soon" is not a time',
        ),
        ("- {id: p1, accept_h: 1, first_reply_h: 2}\n", "field resolve_h: it is missing; write it."),
        (
            "- {id: p1, accept_h: 9, first_reply_h: 2, resolve_h: 3}\n",
            "accept_h 9, first_reply_h 2 and resolve_h 3 run backwards",
        ),
    ],
)
def test_every_problem_of_a_policy_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in "\n".join(problems(tmp_path, policies=text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "name: {zh: 城, en: C}\ntime_zone: Asia/Shangai\n",
            '"Asia/Shangai" is not a time zone; write a name of the IANA list',
        ),
        ("name: {zh: 城, en: C}\ntime_zone: ../etc\n", '"../etc" is not a time zone'),
        ("name: {zh: 城, en: C}\n", "city.yaml, field time_zone: it is missing; write it."),
        ("time_zone: Asia/Shanghai\n", "city.yaml, field name: it is missing; write it."),
        ("name: {zh: 城, en: C}\ntime_zone: UTC\nmoto: x\n", "city.yaml, field moto: there is no such field"),
        ("城\n", 'city.yaml: "城" is not a set of fields'),
    ],
)
def test_every_problem_of_the_city_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in "\n".join(problems(tmp_path, city=text))


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "city.yaml").write_bytes("name: 某城".encode("gb18030"))
    with pytest.raises(CityError, match="is not UTF-8; save the file as UTF-8"):
        load_city(tmp_path)


def test_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    told = problems(tmp_path, departments=department("Roads"), rules=rule(id="Dark"), policies="7\n", city="7\n")
    assert {one.split(",")[0].split(":")[0] for one in told} == {
        "city.yaml",
        "departments.yaml",
        "rules.yaml",
        "policies.yaml",
    }


@pytest.mark.parametrize(("co_handlers", "allowed"), [(19, True), (20, False)])
def test_a_rule_names_at_most_twenty_departments(tmp_path: Path, co_handlers: int, allowed: bool) -> None:
    codes = [f"dept-{number}" for number in range(co_handlers)]
    departments = GOOD["departments.yaml"] + "".join(department(code) for code in codes)
    text = rule(co_handlers=f"[{', '.join(codes)}]")
    if allowed:
        assert len(load_city(write(tmp_path, departments=departments, rules=text)).rules[0].departments) == 20
    else:
        assert problems(tmp_path, departments=departments, rules=text) == (
            'rules.yaml, rule "dark", field co_handlers: the rule names 21 departments; '
            "name at most 20, the lead included.",
        )


def test_a_written_rule_may_not_name_a_retired_department(tmp_path: Path) -> None:
    departments = department("lamps", retired="true")
    assert problems(tmp_path, departments=departments, rules=rule()) == (
        'rules.yaml, rule "dark": "lamps" is retired; name a department that still answers.',
    )


# A running city


def a_department(code: str, **more: object) -> Department:
    return Department.model_validate({"code": code, "name": {"zh": code, "en": code}, **more})


def a_city(*departments: Department, rules: tuple[Rule, ...] = (), revision: int = 0) -> City:
    return City(
        revision=revision,
        name=Name(zh="某城", en="Some City"),
        time_zone="UTC",
        departments=departments,
        rules=rules,
        policies=(Policy(id="standard", accept_h=1, first_reply_h=2, resolve_h=3),),
    )


def a_rule(lead: str) -> Rule:
    return Rule(id=f"for-{lead}", lead=lead, any=("路灯",), why=Name(zh="路灯", en="lamps"))


def test_the_first_apply_is_the_city() -> None:
    city = a_city(a_department("roads"))
    assert merge(None, city) == city


def test_apply_adds_and_updates_departments_and_removes_none() -> None:
    current = a_city(a_department("roads"), a_department("lamps"), revision=7)
    applied = a_city(a_department("lamps", email="new@lamps.example"), a_department("parks"))
    merged = merge(current, applied)
    assert [one.code for one in merged.departments] == ["roads", "lamps", "parks"]
    assert merged.department("lamps") == a_department("lamps", email="new@lamps.example")
    assert merged.revision == 7


def test_apply_replaces_rules() -> None:
    departments = (a_department("roads"), a_department("lamps"))
    current = a_city(*departments, rules=(a_rule("roads"),))
    assert merge(current, a_city(*departments, rules=(a_rule("lamps"),))).rules == (a_rule("lamps"),)


def test_apply_neither_retires_nor_revives() -> None:
    current = retire(a_city(a_department("roads"), a_department("lamps")), "roads")
    merged = merge(current, a_city(a_department("roads"), a_department("lamps", retired=True)))
    assert [one.code for one in merged.active] == ["lamps"]


def test_apply_tells_what_the_departments_it_keeps_contradict() -> None:
    current = a_city(a_department("east", areas=["灯塔街道"]))
    with pytest.raises(CityError, match='"灯塔街道" belongs to "east" already; an area has one office'):
        merge(current, a_city(a_department("west", areas=["灯塔街道"])))


def test_a_department_is_added_or_replaced_in_its_place() -> None:
    city = a_city(a_department("roads"), a_department("lamps"))
    assert [one.code for one in put_department(city, a_department("parks")).departments] == [
        "roads",
        "lamps",
        "parks",
    ]
    replaced = put_department(city, a_department("roads", email="desk@roads.example"))
    assert [one.code for one in replaced.departments] == ["roads", "lamps"]
    assert replaced.department("roads") == a_department("roads", email="desk@roads.example")


def test_a_department_with_an_unknown_parent_is_refused() -> None:
    with pytest.raises(CityError, match='"raods" is not a department; did you mean "roads"'):
        put_department(a_city(a_department("roads")), a_department("lamps", parent="raods"))


def test_putting_a_retired_department_brings_it_back() -> None:
    city = retire(a_city(a_department("roads")), "roads")
    assert city.active == ()
    assert put_department(city, a_department("roads")).active == (a_department("roads"),)


def test_why_a_department_was_retired_is_said_once_and_outlives_an_apply() -> None:
    city = retire(a_city(a_department("roads")), "roads", "并入城管局")
    assert retire(city, "roads", "said again") == city
    [kept] = merge(city, a_city(a_department("roads"))).departments
    assert (kept.retired, kept.retired_why) == (True, "并入城管局")
    assert put_department(city, a_department("roads")).departments[0].retired_why is None


def test_retiring_leaves_the_rules_alone() -> None:
    city = retire(a_city(a_department("roads"), rules=(a_rule("roads"),)), "roads")
    assert city.rules == (a_rule("roads"),)
    assert City.model_validate_json(city.model_dump_json()) == city


def test_an_unknown_department_cannot_retire() -> None:
    with pytest.raises(CityError, match='"zoo" is not a department'):
        retire(a_city(a_department("roads")), "zoo")


def test_a_city_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ValidationError, match='field lead: "zoo" is not a department'):
        a_city(a_department("roads"), rules=(a_rule("zoo"),))
