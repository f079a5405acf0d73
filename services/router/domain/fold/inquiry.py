"""Folds the facts of the whole inquiry into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case, Inquiry
from services.router.domain.facts import Fact
from services.router.domain.fold.status import set_status
from services.router.domain.part import Arbitration
from services.router.domain.reply import RoundRating
from services.router.domain.words import FactWords
from shared.contracts.fields import Contact

CONTACT_FIELDS = tuple(Contact.model_fields)


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
    case.closed, case.status = None, "triage"
    if fact.reason == "arbitration" and fact.part_id is not None:
        disputed = case.arbitration.part_ids if case.arbitration else ()
        case.arbitration = Arbitration((*disputed, fact.part_id), fact.until)


def _assigned(case: Case, fact: facts.Assigned, words: FactWords) -> None:
    case.unsettled, case.arbitration, case.closed = (), None, None
    case.why = words.get("why") or ""
    case.policy_id, case.rule = fact.policy_id, fact.rule or case.rule
    set_status(case)


def _rated(case: Case, fact: facts.Rated, words: FactWords) -> None:
    said = words.text("words") if fact.words is not None else None
    case.rated = case.rated | {fact.round}
    case.ratings = (*case.ratings, RoundRating(fact.round, fact.solved, fact.satisfied, said))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Registered: _registered,
    facts.Triaged: _triaged,
    facts.Assigned: _assigned,
    facts.Rated: _rated,
}
