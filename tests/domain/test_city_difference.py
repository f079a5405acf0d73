"""What applying a city folder changes: departments, rules, policies, calendars and texts, and what stays as it is."""

from datetime import date

from deploy.cli.operations.city_changes import totals
from shared.city import City, Name, Policy, retire
from shared.city.calendars import Calendar, PublicHolidays
from shared.city.difference import Change, FieldChange, difference
from tests.builders import CITY, a_city, a_department, a_rule


def changed(city: City, **fields: object) -> City:
    return city.model_copy(update=fields)


def published(current: City | None, applied: City) -> list[tuple[str, str, str]]:
    return [(one.kind, one.id, one.what) for one in difference(current, applied) if one.publishes]


def test_an_equal_city_changes_nothing() -> None:
    assert difference(CITY, CITY) == []
    assert difference(CITY, changed(CITY, revision=0)) == []


def test_the_first_city_adds_everything() -> None:
    city = a_city(a_department("roads"), rules=[a_rule("dark", "路灯", "roads")])
    assert published(None, city) == [
        ("department", "roads", "added"),
        ("rule", "dark", "added"),
        ("policy", "standard", "added"),
    ]


def test_a_department_is_added_and_another_changed_field_by_field() -> None:
    current = a_city(a_department("roads", areas=("甲",)))
    new = a_department("roads", en="Roads", areas=("乙",))
    assert difference(current, a_city(new, a_department("parks"))) == [
        Change(
            "department",
            "roads",
            "changed",
            (FieldChange("name.en", "Some Bureau", "Roads"), FieldChange("areas", ["甲"], ["乙"])),
        ),
        Change("department", "parks", "added"),
    ]


def test_a_department_that_the_folder_lacks_stays() -> None:
    current = a_city(a_department("roads"), a_department("parks"))
    assert difference(current, a_city(a_department("roads"))) == [Change("department", "parks", "kept")]


def test_a_retired_department_stays_retired() -> None:
    current = retire(a_city(a_department("roads"), a_department("parks")), "parks", "并入城管局")
    folder = a_city(a_department("roads"), a_department("parks"))
    assert difference(current, folder) == [Change("department", "parks", "kept-retired")]
    assert difference(current, a_city(a_department("roads"))) == []


def test_rules_are_added_removed_changed_and_moved() -> None:
    one, two, three = (a_rule(id_, word, "roads") for id_, word in (("one", "甲"), ("two", "乙"), ("three", "丙")))
    roads = a_department("roads")
    current = a_city(roads, rules=[one, two, three])
    assert published(current, a_city(roads, rules=[three, one, two])) == [("rule", "three", "moved")]
    [moved] = difference(current, a_city(roads, rules=[three, one, two]))
    assert moved.fields == (FieldChange("place", 3, 1),)
    four = a_rule("four", "丁", "roads")
    other = two.model_copy(update={"any": ("乙", "戊")})
    assert published(current, a_city(roads, rules=[four, one, other])) == [
        ("rule", "four", "added"),
        ("rule", "two", "changed"),
        ("rule", "three", "removed"),
    ]


def test_policies_are_compared() -> None:
    longer = Policy(id="standard", accept_h=48, first_reply_h=72, resolve_h=360)
    [change] = difference(CITY, changed(CITY, policies=(longer,)))
    assert (change.kind, change.fields) == ("policy", (FieldChange("accept_h", 24.0, 48.0),))
    urgent = Policy(id="urgent", accept_h=1, first_reply_h=2, resolve_h=2)
    assert published(CITY, changed(CITY, policies=(urgent, longer)))[:1] == [("policy", "urgent", "added")]


def test_calendars_are_compared_and_the_public_holidays_of_the_desk_are_not() -> None:
    working = Calendar(id="working", holidays="CN")
    holidays = PublicHolidays(country="CN", free_days=(), working_days=(), known_until=date(2027, 1, 1))
    current = changed(CITY, calendars=(working,), public_holidays=(holidays,))
    assert difference(current, changed(CITY, calendars=(working,))) == []
    local = working.model_copy(update={"extra_holidays": (date(2026, 10, 8),)})
    [change] = difference(current, changed(CITY, calendars=(local,)))
    assert change[:3] == ("calendar", "working", "changed")


def test_the_totals_are_sentences() -> None:
    current = a_city(a_department("roads"))
    applied = changed(a_city(a_department("roads"), a_department("parks")), telephone="12345")
    assert totals(difference(current, applied)) == "the city's texts changed, 1 department added"


def test_the_texts_of_the_city_are_compared() -> None:
    [change] = difference(CITY, changed(CITY, name=Name(zh="云汀", en="Cloud"), telephone="12345"))
    assert change == Change(
        "city", "", "changed", (FieldChange("name.en", "Yunting", "Cloud"), FieldChange("telephone", None, "12345"))
    )
