"""Decides whether the parts of a city agree with each other."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from shared.directory.records import AREA_OFFICE, MOST_DEPARTMENTS, Department, Policy, Rule

_SHORTEST_START = 3


def contradictions(
    time_zone: str, departments: Sequence[Department], rules: Sequence[Rule], policies: Sequence[Policy]
) -> Iterator[str]:
    """What contradicts itself, in sentences.

    A rule may name a retired department, because `retire` leaves rules alone.
    """
    yield from _wrong_zone(time_zone)
    yield from _repeated("departments.yaml", "code", [one.code for one in departments])
    yield from _repeated("rules.yaml", "id", [one.id for one in rules])
    yield from _repeated("policies.yaml", "id", [one.id for one in policies])
    yield from _wrong_parents(departments)
    yield from _shared_areas(departments)
    codes = [one.code for one in departments]
    areas = [name for one in departments if one.areas for name in (one.code, *one.areas)]
    for rule in rules:
        yield from _wrong_rule(rule, codes, areas)
    for policy in policies:
        yield from _wrong_policy(policy)
    if not policies:
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


def _wrong_parents(departments: Sequence[Department]) -> Iterator[str]:
    parents = {one.code: one.parent for one in departments}
    for code, parent in parents.items():
        place = f'departments.yaml, department "{code}", field parent'
        if parent is None:
            continue
        if parent not in parents:
            yield f'{place}: "{parent}" is not a department; {nearest(parent, list(parents))}.'
        elif code in _ancestors(code, parents):
            yield f'{place}: "{parent}" is below "{code}" itself; name one that is above it, or none.'


def _ancestors(code: str, parents: dict[str, str | None]) -> set[str]:
    seen: set[str] = set()
    above = parents.get(code)
    while above is not None and above not in seen:
        seen.add(above)
        above = parents.get(above)
    return seen


def _shared_areas(departments: Sequence[Department]) -> Iterator[str]:
    owner: dict[str, str] = {}
    for department in departments:
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
                yield f'{place}, field {field}: "{code}" is not a department; {nearest(code, known)}.'
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
            yield f'{place}, field areas: "{area}" is no area of any department; {nearest(area, areas)}.'
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


def nearest(value: str, known: Sequence[str]) -> str:
    """The remedy for a code that is none."""
    near = difflib.get_close_matches(value, known, n=1)
    return f'did you mean "{near[0]}"' if near else "add it to departments.yaml or name one that is there"
