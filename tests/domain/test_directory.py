"""Loading a city folder, merging it into the current city, adding and retiring departments."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.city import City, CityError, Department, Name, Policy, Rule, load_city, merge, put_department, retire

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
    """Write the valid files; `changed` replaces files by stem, or omits them if empty."""
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


def test_a_valid_folder_is_loaded(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    assert city.name == Name(zh="某城", en="Some City")
    assert [one.code for one in city.departments] == ["roads", "lamps", "hills"]
    assert city.rules[0].departments == ("lamps", "@area")
    assert city.policies == (Policy(id="standard", accept_h=24, first_reply_h=72, resolve_h=360),)
    assert city.revision == 0


def test_rule_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = write(tmp_path, rules="")
    (folder / "rules").mkdir()
    for name in ("2-later", "1-first"):
        (folder / "rules" / f"{name}.yaml").write_text(rule(id=f"r{name}"), encoding="utf-8")
    assert [one.id for one in load_city(folder).rules] == ["r1-first", "r2-later"]


def test_a_city_survives_a_round_trip_through_json(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    assert City.model_validate_json(city.model_dump_json()) == city


def test_unknown_fields_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    newer = city.model_dump() | {"mayor": "nobody"}
    assert City.model_validate(newer) == city


@pytest.mark.parametrize(("co_handlers", "allowed"), [(19, True), (20, False)])
def test_a_rule_names_at_most_twenty_departments(tmp_path: Path, co_handlers: int, allowed: bool) -> None:
    codes = [f"dept-{number}" for number in range(co_handlers)]
    departments = GOOD["departments.yaml"] + "".join(department(code) for code in codes)
    text = rule(co_handlers=f"[{', '.join(codes)}]")
    if allowed:
        assert len(load_city(write(tmp_path, departments=departments, rules=text)).rules[0].departments) == 20
    else:
        assert problems(tmp_path, departments=departments, rules=text) == (
            'rules.yaml:1, rule "dark", field co_handlers: the rule names 21 departments; '
            "name at most 20, the lead included.",
        )


def test_a_rule_file_may_not_name_a_retired_department(tmp_path: Path) -> None:
    departments = department("lamps", retired="true")
    assert problems(tmp_path, departments=departments, rules=rule()) == (
        'rules.yaml:1, rule "dark", field lead: "lamps" is retired; name an active department.',
    )


# Changes of the current city


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


def test_the_first_apply_sets_the_city() -> None:
    city = a_city(a_department("roads"))
    assert merge(None, city) == city


def test_contacts_of_the_city_and_its_departments_are_public() -> None:
    lamps = a_department("lamps", email="desk@lamps.example").model_copy(update={"phones": ("0731-1234567",)})
    city = a_city(a_department("roads"), lamps)
    assert city.published == ("desk@lamps.example", "0731-1234567")
    hotline = city.model_copy(update={"telephone": "0731-12345"})
    assert hotline.published == ("0731-12345", "desk@lamps.example", "0731-1234567")


def test_apply_adds_and_updates_departments_and_removes_none() -> None:
    current = a_city(a_department("roads"), a_department("lamps"), revision=7)
    applied = a_city(a_department("lamps", email="new@lamps.example"), a_department("parks"))
    merged = merge(current, applied)
    assert [one.code for one in merged.departments] == ["lamps", "parks", "roads"]
    assert merged.department("lamps") == a_department("lamps", email="new@lamps.example")
    assert merged.revision == 7


def test_apply_replaces_rules() -> None:
    departments = (a_department("roads"), a_department("lamps"))
    current = a_city(*departments, rules=(a_rule("roads"),))
    assert merge(current, a_city(*departments, rules=(a_rule("lamps"),))).rules == (a_rule("lamps"),)


def test_apply_neither_retires_nor_reactivates() -> None:
    current = retire(a_city(a_department("roads"), a_department("lamps")), "roads")
    merged = merge(current, a_city(a_department("roads"), a_department("lamps", retired=True)))
    assert [one.code for one in merged.active] == ["lamps"]


def test_apply_reports_contradictions_with_departments_it_keeps() -> None:
    current = a_city(a_department("east", areas=["灯塔街道"]))
    with pytest.raises(CityError, match='"灯塔街道" already belongs to "east"; an area has one district office'):
        merge(current, a_city(a_department("west", areas=["灯塔街道"])))


def test_a_department_is_added_at_the_end_or_replaced_in_place() -> None:
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


def test_putting_a_retired_department_reactivates_it() -> None:
    city = retire(a_city(a_department("roads")), "roads")
    assert city.active == ()
    assert put_department(city, a_department("roads")).active == (a_department("roads"),)


def test_the_reason_of_a_retirement_is_set_once_and_survives_an_apply() -> None:
    city = retire(a_city(a_department("roads")), "roads", "并入城管局")
    assert retire(city, "roads", "said again") == city
    [kept] = merge(city, a_city(a_department("roads"))).departments
    assert (kept.retired, kept.retired_why) == (True, "并入城管局")
    assert put_department(city, a_department("roads")).departments[0].retired_why is None


def test_retiring_does_not_change_the_rules() -> None:
    city = retire(a_city(a_department("roads"), rules=(a_rule("roads"),)), "roads")
    assert city.rules == (a_rule("roads"),)
    assert City.model_validate_json(city.model_dump_json()) == city


def test_retiring_an_unknown_department_is_refused() -> None:
    with pytest.raises(CityError, match='"zoo" is not a department'):
        retire(a_city(a_department("roads")), "zoo")


def test_an_inconsistent_city_is_rejected() -> None:
    with pytest.raises(ValidationError, match='field lead: "zoo" is not a department'):
        a_city(a_department("roads"), rules=(a_rule("zoo"),))
