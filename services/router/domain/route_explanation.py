"""Explains which rule would assign a message, which of its terms matched, and why near rules did not assign it.

It asks the functions that assign messages, so it cannot tell another story than `assignment_rules`.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from services.router.domain.assignment_rules import (
    Assignment,
    CompiledRule,
    Rules,
    by_message,
    by_subject,
    holds,
    office_of,
    terms_in,
    words_needed,
)
from services.router.domain.terms import is_latin, normalised
from shared.city import AREA_OFFICE

NEAR_MAX = 5
TERMS_QUOTED_MAX = 4


class NearRule(NamedTuple):
    """A rule that shares terms with the message and does not assign it."""

    rule: str
    departments: tuple[str, ...]
    terms: tuple[str, ...]
    why_not: str


class RouteExplanation(NamedTuple):
    """`assignment` is None when the message would go to triage. `terms` are those of its rule that the message has.

    `words_needed` is how many terms of one rule a message of this length needs when its subject alone matches none.
    """

    assignment: Assignment | None
    matched: Literal["subject", "message"] | None
    terms: tuple[str, ...]
    words_needed: int
    near: tuple[NearRule, ...]


class _Message(NamedTuple):
    """What the rules see of a message, and the rule that assigns it."""

    in_subject: set[str]
    in_text: set[str]
    area: str | None
    office: str | None
    channel: str
    needed: int
    winner: str | None
    matched: Literal["subject", "message"] | None
    latin: bool

    def foreign(self, term: str) -> tuple[bool, str]:
        """Orders terms: those in the script of the message first."""
        return is_latin(term) != self.latin, term


def explain(rules: Rules, *, subject: str, body: str, area: str | None, channel: str) -> RouteExplanation:
    """Which departments the rules would give a message whose writer chose none, and why not others."""
    office, title = office_of(rules, area), normalised(subject)
    text = f"{title}\n{normalised(body)}"
    first = by_subject(rules, title, office, channel)
    found = first or by_message(rules, text, office, channel)
    matched: Literal["subject", "message"] | None = "subject" if first else "message" if found else None
    message = _Message(
        terms_in(rules, title),
        terms_in(rules, text),
        area,
        office,
        channel,
        words_needed(text),
        found.rule if found else None,
        matched,
        is_latin(text),
    )
    seen = message.in_subject if first else message.in_text
    terms = next((_terms(one, seen) for one in rules.compiled if one.rule.id == message.winner), ())
    near = sorted(_near(rules, message), key=lambda one: -len(one.terms))[:NEAR_MAX]
    return RouteExplanation(found, matched, terms, message.needed, tuple(near))


def _terms(one: CompiledRule, found: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for group in one.groups for term in sorted(group & found)))


def _near(rules: Rules, message: _Message) -> Iterator[NearRule]:
    for one in rules.compiled:
        terms = _terms(one, message.in_text)
        if terms and one.rule.id != message.winner:
            yield NearRule(one.rule.id, one.departments, terms, _why_not(one, message))


def _why_not(one: CompiledRule, message: _Message) -> str:
    """The first condition of the rule that the message does not meet; otherwise the rule that goes before it."""
    if excluded := sorted(one.none & message.in_text):
        return f"the message also mentions {_quoted(excluded)}, which the rule excludes"
    if one.areas and message.office not in one.areas:
        return f"the rule is for {', '.join(one.rule.areas)}, and {_area(message)}"
    if one.channels and message.channel not in one.channels:
        return f"the rule is for the channel {', '.join(one.rule.channels)}, not {message.channel}"
    if message.office is None and one.departments[0] == AREA_OFFICE:
        return f"the rule needs a district office, and {_area(message)}"
    for group in one.groups:
        if group.isdisjoint(message.in_text):
            return f"the message mentions none of {_quoted(sorted(group, key=message.foreign))}"
    if message.matched == "subject":
        if holds(one, message.in_subject, message.office, message.channel):
            return f"it matches the subject too, but {message.winner} comes before it"
        return f"the subject alone matches {message.winner}"
    words = min(len(group & message.in_text) for group in one.groups)
    if words < message.needed:
        return f"it shares {words} of the {message.needed} terms that a message of this length needs"
    return f"{message.winner} shares more terms, or as many and comes before it"


def _area(message: _Message) -> str:
    if not message.area:
        return "the message has no area"
    return f"the message's area {message.area!r} belongs to {message.office or 'no district office'}"


def _quoted(terms: list[str]) -> str:
    more = ", …" if len(terms) > TERMS_QUOTED_MAX else ""
    return ", ".join(f"“{term.rstrip('*')}”" for term in terms[:TERMS_QUOTED_MAX]) + more
