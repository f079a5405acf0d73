"""Matches a message to departments: those that the resident chose, else those of a rule of the city.

The first rule that matches the subject alone wins, because a subject names the problem and a body mentions much else.
If no rule matches the subject, the rule with the most different words in subject and body wins. If too few words match,
the message goes to triage. `docs/decisions/0005-matching-rules.md` says why.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import NamedTuple

from services.router.domain.terms import LATIN_WORD, between_spaces, is_latin, normalised, term_of
from shared.city import AREA_OFFICE, City, Department, Rule
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

_WORDS_QUOTED_MAX = 4

# A rule needs one more matching word for each 60 characters of the message: measured on real messages, nine of ten
# leads were right with it. Latin text counts a third of its characters.
_CHARACTERS_PER_WORD = 60
_LATIN_CHARACTERS_PER_CHINESE = 3
_WORDS_NEEDED_MAX = 4


class Why(NamedTuple):
    """A reason in Chinese and English."""

    zh: str
    en: str


class Assignment(NamedTuple):
    lead: str
    co_handlers: tuple[str, ...]
    why: Why
    rule: str | None


_IN_SUBJECT = gettext_noop("the subject mentions")
_IN_MESSAGE = gettext_noop("the message mentions")
_NAMED = Why(*(translations(language).gettext("named by the writer") for language in LANGUAGES))


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: Rule
    departments: tuple[str, ...]
    groups: tuple[frozenset[str], ...]
    none: frozenset[str]
    areas: frozenset[str]
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """The compiled rules of one revision, with indexes from terms to rules."""

    compiled: tuple[CompiledRule, ...]
    active: frozenset[str]
    areas: Mapping[str, str]
    """Normalised names of areas, longest first, to the code of the district office."""
    by_pair: Mapping[str, tuple[str, ...]]
    """Chinese terms by their first two characters."""
    by_character: tuple[str, ...]
    """Chinese terms of one character."""
    by_word: Mapping[str, tuple[str, ...]]
    """Latin terms by the first three letters of their first word."""
    by_term: Mapping[str, tuple[int, ...]]
    """Terms to the indexes of the rules that have them in their first group."""
    pairs: frozenset[str]
    starts: frozenset[str]
    termless: tuple[int, ...]


def compile_rules(city: City, without: Collection[str] = ()) -> Rules:
    """Compile the rules without retired departments and those in `without`.

    The next department of a rule leads; a rule without any is dropped.
    """
    active = frozenset(one.code for one in city.active if one.code not in without)
    areas = _area_names(city.active)
    compiled = tuple(one for rule in city.rules if (one := _compile(rule, active, areas)) is not None)
    terms = {term for one in compiled for group in (*one.groups, one.none) for term in group}
    chinese = [term for term in terms if not is_latin(term)]
    by_pair = _indexed((term[:2], term) for term in chinese if len(term) > 1)
    by_word = _indexed((term.split()[0].rstrip("*")[:3], term) for term in terms if is_latin(term))
    return Rules(
        compiled=compiled,
        active=active,
        areas=areas,
        by_pair=by_pair,
        by_character=tuple(sorted(term for term in chinese if len(term) == 1)),
        by_word=by_word,
        by_term=_rules_by_term(compiled),
        pairs=frozenset(by_pair),
        starts=frozenset(by_word),
        termless=tuple(at for at, one in enumerate(compiled) if not one.groups),
    )


def assign(
    rules: Rules, *, subject: str, body: str, area: str | None, channel: str, named: Sequence[str]
) -> Assignment | None:
    """The departments of a message; None means triage. Skips codes in `named` that are unknown or retired."""
    if wanted := [code for code in dict.fromkeys(named) if code in rules.active][:DEPARTMENTS_MAX]:
        return Assignment(wanted[0], tuple(wanted[1:]), _NAMED, None)
    office = office_of(rules, area)
    title = normalised(subject)
    return by_subject(rules, title, office, channel) or by_message(
        rules, f"{title}\n{normalised(body)}", office, channel
    )


def by_subject(rules: Rules, title: str, office: str | None, channel: str) -> Assignment | None:
    found = terms_in(rules, title)
    first = next(_holding(rules, found, office, channel), None)
    return None if first is None else _assignment(first, found, office, _IN_SUBJECT)


def by_message(rules: Rules, text: str, office: str | None, channel: str) -> Assignment | None:
    """By the rule with the most different words in the text, if they are enough; the first of several."""
    found = terms_in(rules, text)
    best, most = None, words_needed(text) - 1
    for one in _holding(rules, found, office, channel):
        words = min((len(group & found) for group in one.groups), default=most + 1)
        if words > most:
            best, most = one, words
    return None if best is None else _assignment(best, found, office, _IN_MESSAGE)


def words_needed(text: str) -> int:
    """The longer a message, the more words it must share with a rule, because it mentions more than its problem."""
    length = len(text) // _LATIN_CHARACTERS_PER_CHINESE if text.isascii() else len(text)
    return min(1 + length // _CHARACTERS_PER_WORD, _WORDS_NEEDED_MAX)


def _holding(rules: Rules, found: set[str], office: str | None, channel: str) -> Iterator[CompiledRule]:
    candidates = set(rules.termless)
    for term in found:
        candidates.update(rules.by_term.get(term, ()))
    return (rules.compiled[at] for at in sorted(candidates) if holds(rules.compiled[at], found, office, channel))


def holds(one: CompiledRule, found: set[str], office: str | None, channel: str) -> bool:
    for group in one.groups:
        if group.isdisjoint(found):
            return False
    return (
        one.none.isdisjoint(found)
        and (not one.areas or office in one.areas)
        and (not one.channels or channel in one.channels)
        and (office is not None or one.departments[0] != AREA_OFFICE)
    )


def _assignment(one: CompiledRule, found: set[str], office: str | None, where: str) -> Assignment:
    codes = one.departments
    if AREA_OFFICE in codes:
        resolved = [office if code == AREA_OFFICE else code for code in codes]
        codes = tuple(dict.fromkeys([code for code in resolved if code is not None]))
    return Assignment(codes[0], codes[1:], _why(one, found, where), one.rule.id)


def _why(one: CompiledRule, found: set[str], where: str) -> Why:
    asked = [term for group in one.groups for term in sorted(group & found)]
    if len(asked) > 1:
        unique = dict.fromkeys(asked)
        asked = [term for term in unique if not any(term in other and term != other for other in asked)]
    words = [f"“{term.rstrip('*')}”" for term in asked[:_WORDS_QUOTED_MAX]]
    why = one.rule.why
    if not words:
        return Why(why.zh, why.en)
    in_chinese = translations("zh").gettext(where)
    return Why(f"{why.zh}（{in_chinese}{''.join(words)}）", f"{why.en} ({where} {', '.join(words)})")


def terms_in(rules: Rules, text: str) -> set[str]:
    """Chinese terms match anywhere in the text, Latin terms as whole words, or as the start of a word before `*`."""
    found = {term for term in rules.by_character if term in text}
    for pair in rules.pairs.intersection(map(add, text, text[1:])):
        found.update([term for term in rules.by_pair[pair] if term in text])
    words = LATIN_WORD.findall(text)
    starts = rules.starts.intersection([word[:3] for word in words])
    if starts:
        line = f" {' '.join(words)} "
        found.update(term for start in starts for term in rules.by_word[start] if between_spaces(term) in line)
    return found


# Compiling


def _compile(rule: Rule, active: frozenset[str], areas: Mapping[str, str]) -> CompiledRule | None:
    departments = tuple(code for code in dict.fromkeys(rule.departments) if code in active or code == AREA_OFFICE)
    if not departments:
        return None
    groups = ((rule.any,) if rule.any else ()) + rule.all
    return CompiledRule(
        rule=rule,
        departments=departments,
        groups=tuple(frozenset(map(term_of, group)) for group in groups),
        none=frozenset(map(term_of, rule.none)),
        areas=frozenset(areas.get(normalised(area), area) for area in rule.areas),
        channels=frozenset(rule.channels),
    )


def _area_names(departments: Iterable[Department]) -> Mapping[str, str]:
    names = {
        normalised(name): one.code
        for one in departments
        if one.areas
        for name in (one.code, one.name.zh, one.name.en, *one.areas)
    }
    return dict(sorted(names.items(), key=lambda named: (-len(named[0]), named[0])))


def office_of(rules: Rules, area: str | None) -> str | None:
    if not area:
        return None
    folded = normalised(area).strip()
    exact = rules.areas.get(folded)
    return exact or next((code for name, code in rules.areas.items() if name in folded), None)


def _indexed(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    index: dict[str, list[str]] = {}
    for key, term in sorted(pairs):
        index.setdefault(key, []).append(term)
    return {key: tuple(terms) for key, terms in index.items()}


def _rules_by_term(compiled: Sequence[CompiledRule]) -> dict[str, tuple[int, ...]]:
    index: dict[str, list[int]] = {}
    for at, one in enumerate(compiled):
        for term in one.groups[0] if one.groups else ():
            index.setdefault(term, []).append(at)
    return {term: tuple(ats) for term, ats in index.items()}
