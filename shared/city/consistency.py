"""Checks that the entries of a city are consistent with each other."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from shared.city.calendar_consistency import unknown_country, wrong_calendar
from shared.city.calendars import Calendar
from shared.city.entries import AREA_OFFICE, KINDS, Department, Rule
from shared.city.faults import Fault, Loc, nearest, quoted
from shared.city.policies import Policy
from shared.city.policy_consistency import no_policy_for_the_rest, unknown_conditions, unused_policies, wrong_policies
from shared.city.text_modules import TextModule, contradictory_texts, text_faults, text_limits
from shared.contracts.limits import DEPARTMENTS_MAX

Known = Mapping[str, None]
"""An ordered set of names."""

_PREFIX_LETTERS_MIN = 3
_ADD_OR_NAME = "add it to the departments or name an existing one"


@dataclass(frozen=True, slots=True)
class CityParts:
    """A city's valid entries by their index in their list.

    `unread` holds the names in invalid entries (codes, areas, categories, ids of calendars): a reference to one of them is
    not reported as well.
    """

    time_zone: str | None
    departments: Mapping[int, Department]
    rules: Mapping[int, Rule]
    policies: Mapping[int, Policy]
    calendars: Mapping[int, Calendar] = field(default_factory=dict)
    unread: Collection[str] = field(default_factory=frozenset)
    all_policies: bool = True
    """Whether every policy is valid. Otherwise nothing is said about missing ones."""
    texts: Mapping[int, TextModule] = field(default_factory=dict)

    @property
    def codes(self) -> Known:
        return dict.fromkeys([*(one.code for one in self.departments.values()), *self.unread])

    @property
    def areas(self) -> Known:
        """Every value that a message's area may have: the areas and codes of district offices."""
        named = [name for one in self.departments.values() if one.areas for name in (one.code, *one.areas)]
        return dict.fromkeys([*named, *self.unread])


def contradictions(city: CityParts) -> Iterator[Fault]:
    """Every contradiction. A rule may name a retired department, because `retire` does not change rules."""
    if city.time_zone is not None:
        yield from _wrong_zone(("time_zone",), city.time_zone)
    yield from _repeated("departments", "code", {at: one.code for at, one in city.departments.items()})
    yield from _repeated("rules", "id", {at: one.id for at, one in city.rules.items()})
    yield from _repeated("policies", "id", {at: one.id for at, one in city.policies.items()})
    yield from _wrong_parents(city)
    yield from _shared_areas(city.departments)
    codes, areas = city.codes, city.areas
    for at, rule in city.rules.items():
        yield from _wrong_handlers(("rules", at), rule, codes)
        yield from _wrong_conditions(("rules", at), rule, areas)
    yield from wrong_policies(city.policies, city.calendars, city.unread, city.time_zone)
    yield from _repeated("calendars", "id", {at: one.id for at, one in city.calendars.items()})
    for at, calendar in city.calendars.items():
        yield from wrong_calendar(("calendars", at), calendar)
        if calendar.time_zone is not None:
            yield from _wrong_zone(("calendars", at, "time_zone"), calendar.time_zone)
    yield from contradictory_texts(city.texts, codes)
    for at, text in city.texts.items():
        for place, term in enumerate(text.subjects):
            if (wrong := _wrong_term(term)) is not None:
                yield Fault(("texts", at, "subjects", place), wrong)


def authoring_faults(city: CityParts) -> Iterator[Fault]:
    """Faults that reject a city or department somebody submits, but not one that is read from Kafka.

    In a stored city a rule may name a department that was retired later, a newer release may know more kinds and
    countries, and an older release let policies be that never count.
    """
    retired = {one.code for one in city.departments.values() if one.retired}
    for at, department in city.departments.items():
        if department.kind not in KINDS:
            yield Fault(
                ("departments", at, "kind"), f"{quoted(department.kind)} is unknown; write one of {', '.join(KINDS)}"
            )
    for at, rule in city.rules.items():
        for place, code in _handlers(rule):
            if code in retired:
                problem = f"{quoted(code)} is retired; name an active department"
                yield Fault(("rules", at, *place), problem)
    for at, calendar in city.calendars.items():
        yield from unknown_country(("calendars", at), calendar)
    yield from unused_policies(city.policies)
    if city.all_policies:
        yield from no_policy_for_the_rest(city.policies)
    rules, unread = city.rules.values(), city.unread
    categories = dict.fromkeys([*(one.category for one in rules if one.category), *unread])
    priorities = dict.fromkeys([*(one.priority for one in rules if one.priority), *unread])
    yield from unknown_conditions(city.policies, list(city.codes), list(categories), list(priorities))
    for at, text in city.texts.items():
        yield from text_faults(("texts", at), text, categories, retired)
    yield from text_limits(city.texts)


def _wrong_zone(loc: Loc, zone: str) -> Iterator[Fault]:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        problem = f'{quoted(zone)} is not a time zone; write a name of the IANA list such as "Asia/Shanghai"'
        yield Fault(loc, problem)


def _repeated(listed: str, name: str, values: Mapping[int, str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, value in values.items():
        if value in seen:
            yield Fault((listed, at, name), f"{quoted(value)} is already used as {name}; each {name} must be unique")
        seen.add(value)


def _wrong_parents(city: CityParts) -> Iterator[Fault]:
    parents = {one.code: one.parent for one in city.departments.values()}
    for at, department in city.departments.items():
        code, parent, loc = department.code, department.parent, ("departments", at, "parent")
        if parent is None or parent in city.unread:
            continue
        if parent not in parents:
            yield Fault(loc, f"{quoted(parent)} is not a department; {nearest(parent, list(parents), _ADD_OR_NAME)}")
        elif code in _ancestors(code, parents):
            yield Fault(loc, f'{quoted(parent)} is below "{code}" itself; name a department above it, or none')


def _ancestors(code: str, parents: Mapping[str, str | None]) -> set[str]:
    seen: set[str] = set()
    above = parents.get(code)
    while above is not None and above not in seen:
        seen.add(above)
        above = parents.get(above)
    return seen


def _shared_areas(departments: Mapping[int, Department]) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for at, department in departments.items():
        for place, area in enumerate(department.areas):
            first = owner.setdefault(area, department.code)
            if first != department.code:
                problem = f'{quoted(area)} already belongs to "{first}"; an area has one district office'
                yield Fault(("departments", at, "areas", place), problem)


def _handlers(rule: Rule) -> Iterator[tuple[Loc, str]]:
    yield ("lead",), rule.lead
    yield from ((("co_handlers", place), code) for place, code in enumerate(rule.co_handlers))


def _wrong_handlers(loc: Loc, rule: Rule, known: Known) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, code in _handlers(rule):
        if code not in known and code != AREA_OFFICE:
            yield Fault(
                (*loc, *place), f"{quoted(code)} is not a department; {nearest(code, list(known), _ADD_OR_NAME)}"
            )
        if code in seen:
            yield Fault((*loc, *place), f"{quoted(code)} is named twice; name each department once")
        seen.add(code)
    if len(rule.departments) > DEPARTMENTS_MAX:
        problem = (
            f"the rule names {len(rule.departments)} departments; name at most {DEPARTMENTS_MAX}, the lead included"
        )
        yield Fault((*loc, "co_handlers"), problem)


def _wrong_conditions(loc: Loc, rule: Rule, known: Known) -> Iterator[Fault]:
    if not (rule.any or rule.all or rule.areas or rule.channels):
        yield Fault(loc, "the rule would match every message; add at least one of any, all, areas, channels")
    for number, group in enumerate(rule.all):
        if not group:
            yield Fault((*loc, "all", number), "the group is empty and would never match; add terms")
    for place, area in enumerate(rule.areas):
        if area not in known:
            otherwise = "write one of a department's areas, or its code"
            problem = f"{quoted(area)} is not an area of any department; {nearest(area, list(known), otherwise)}"
            yield Fault((*loc, "areas", place), problem)
    for inner, term in _terms(rule):
        if (wrong := _wrong_term(term)) is not None:
            yield Fault((*loc, *inner), wrong)


def _terms(rule: Rule) -> Iterator[tuple[Loc, str]]:
    yield from ((("any", place), term) for place, term in enumerate(rule.any))
    for number, group in enumerate(rule.all):
        yield from ((("all", number, place), term) for place, term in enumerate(group))
    yield from ((("none", place), term) for place, term in enumerate(rule.none))


def _wrong_term(term: str) -> str | None:
    if not any(character.isalnum() for character in term):
        return f"the term {quoted(term)} has no letter or digit and never matches; write a word"
    if term.endswith("*") and len(term) < _PREFIX_LETTERS_MIN + 1:
        return f"{quoted(term)} matches too many words; write at least {_PREFIX_LETTERS_MIN} letters before *"
    return None
