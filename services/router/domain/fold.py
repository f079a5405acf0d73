"""Folds facts, and the texts beside them, into a case: one function for each class of fact."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.router.domain import facts
from services.router.domain.case import (
    Arbitration,
    Case,
    DecidedInput,
    Inquiry,
    JointReply,
    Part,
    PartReturn,
    ReplyParagraph,
)
from services.router.domain.clock_facts import fold_clocks
from services.router.domain.facts import Fact
from services.router.domain.words import NO_FACT_WORDS, FactWords, NewFact, Text, words_by_place
from shared.contracts.fields import Contact

CONTACT_FIELDS = tuple(Contact.model_fields)


def _set_part(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_cache = None
    _set_status(case)


def _set_status(case: Case) -> None:
    """Derive the status from the states of the parts, except for a case in triage or answered."""
    if case.unsettled:
        case.status = "triage"
    elif case.status != "answered":
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def _registered(case: Case, fact: facts.Registered, words: FactWords) -> None:
    contact = {name: value for name in CONTACT_FIELDS if (value := words.get(f"contact/{name}")) is not None}
    named = words.get("departments")
    case.status = "registered"
    case.inquiry = Inquiry(
        subject=words.text("subject"),
        body=words.text("body"),
        channel=words.get("channel") or fact.channel,
        area=words.get("area"),
        contact=Contact(**contact) if contact else None,
        departments=tuple(named.split()) if named else fact.named,
        public=fact.public,
        confidential=fact.confidential,
        language=fact.language,
        received_at=fact.received_at,
    )


def _triaged(case: Case, fact: facts.Triaged, words: FactWords) -> None:
    case.unsettled = (*(one for one in case.unsettled if one not in (None, fact.part_id)), fact.part_id)
    case.status = "triage"
    if fact.reason == "arbitration" and fact.part_id is not None:
        disputed = case.arbitration.part_ids if case.arbitration else ()
        case.arbitration = Arbitration((*disputed, fact.part_id), fact.until)


def _assigned(case: Case, fact: facts.Assigned, words: FactWords) -> None:
    case.unsettled, case.arbitration = (), None
    case.why = words.get("why") or ""
    case.policy_id, case.rule = fact.policy_id, fact.rule or case.rule
    _set_status(case)


def _offered(case: Case, fact: facts.Offered, words: FactWords) -> None:
    part = Part(
        fact.part_id,
        fact.department,
        fact.role,
        fact.due,
        policy_id=fact.policy_id or case.policy_id,
        return_until=fact.return_until,
        binding=fact.binding,
    )
    _set_part(case, part)


def _changed(case: Case, fact: facts.Changed, words: FactWords) -> None:
    part = case.parts[fact.part_id]
    _set_part(case, part._replace(role=fact.role, binding=part.binding or fact.binding))


def _accepted(case: Case, fact: facts.Accepted, words: FactWords) -> None:
    _set_part(case, case.parts[fact.part_id]._replace(state="accepted"))


def _contributed(case: Case, fact: facts.Contributed, words: FactWords) -> None:
    _set_part(case, case.parts[fact.part_id]._replace(state="contributed", text=words.text("text"), draft=None))


def _returned(case: Case, fact: facts.Returned, words: FactWords) -> None:
    case.unsettled = (*case.unsettled, fact.part_id)
    number = 1 + sum(1 for _ in case.returned_parts)
    back = PartReturn(words.get("reason") or fact.reason, words.text("words"), number)
    _set_part(case, case.parts[fact.part_id]._replace(state="returned", returned=back))


def _withdrawn(case: Case, fact: facts.Withdrawn, words: FactWords) -> None:
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)
    if case.arbitration is not None:
        disputed = tuple(one for one in case.arbitration.part_ids if one != fact.part_id)
        case.arbitration = case.arbitration._replace(part_ids=disputed) if disputed else None
    _set_part(case, case.parts[fact.part_id]._replace(state="withdrawn"))


def _composed(case: Case, fact: facts.Composed, words: FactWords) -> None:
    paragraphs = tuple(
        ReplyParagraph(
            one["part_id"],
            one["department"],
            words.get(f"paragraphs/{at}/name") or "",
            words.get(f"paragraphs/{at}/before") or "",
            case.parts[one["part_id"]].text or Text("", ""),
        )
        for at, one in enumerate(fact.paragraphs)
    )
    text = "".join([one.before + one.text.text for one in paragraphs])
    case.reply = JointReply(fact.reply_id, fact.version, fact.round, Text(words.text("text").place, text), paragraphs)


def _answered(case: Case, fact: facts.Answered, words: FactWords) -> None:
    case.status, case.released = "answered", case.reply


def _rated(case: Case, fact: facts.Rated, words: FactWords) -> None:
    case.rated = case.rated | {fact.round}


def _unchanged(case: Case, fact: Fact, words: FactWords) -> None:
    pass


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Registered: _registered,
    facts.Triaged: _triaged,
    facts.Assigned: _assigned,
    facts.Replied: _unchanged,
    facts.Composed: _composed,
    facts.Answered: _answered,
    facts.Rated: _rated,
    facts.LinkRequested: _unchanged,
    facts.DueSoon: _unchanged,
    facts.Broken: _unchanged,
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Accepted: _accepted,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Withdrawn: _withdrawn,
    facts.Released: _unchanged,
    facts.UnknownFact: _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def copy_of(case: Case) -> Case:
    """A shallow copy, which the functions below may change. They replace mappings and never change one in place."""
    return Case(*_fields(case))


def fold_fact(case: Case, fact: Fact, words: FactWords) -> None:
    """Change the case by one fact. An unknown fact, written by a later version, changes nothing."""
    FOLD[type(fact)](case, fact, words)
    fold_clocks(case, fact)


def fold_draft(case: Case, part_id: str, draft: str) -> None:
    """Change the case by a draft, which is a text without a fact."""
    case.parts = {**case.parts, part_id: case.parts[part_id]._replace(draft=draft)}
    case.active_parts_cache = None


def fold_cause(case: Case, cause: str, decided: DecidedInput) -> None:
    """Change the case by the id of the input of its n-th decision."""
    case.n, case.causes = decided.n, {**case.causes, cause: decided}


def fold(case: Case, *more: NewFact) -> Case:
    """A copy of the case with these facts, for a rule that must know the state after them."""
    after = copy_of(case)
    for one in more:
        fold_fact(after, one.fact, NO_FACT_WORDS._replace(words=words_by_place(0, one.texts, one.private)))
    return after
