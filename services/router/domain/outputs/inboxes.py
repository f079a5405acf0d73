"""The messages to departments' inboxes for each fact, with the fields of `shared/contracts/department_inbox.py`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from services.router.domain import facts
from services.router.domain.case import ENDED, Case, Inquiry
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.outputs.delegation_inboxes import (
    contributed_fields,
    offered_fields,
    parent_of,
    returned_fields,
    withdrawn_fields,
)
from services.router.domain.outputs.rejected_answers import rejected_answer
from services.router.domain.reply import ReplyParagraph
from services.router.domain.words import FactWords
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import translations

HANDLERS_CHANGED = " / ".join(
    translations(language).gettext("who handles this inquiry has changed") for language in LANGUAGES
)
ERASED = " / ".join(translations(language).gettext("the inquiry is erased") for language in LANGUAGES)


class DepartmentMessage(NamedTuple):
    """A message to one department; `type` is without the prefix `chorus.`."""

    department: str
    type: str
    fields: Mapping[str, object]


def _offered(case: Case, fact: facts.Offered, words: FactWords, directory: CityIndex) -> Iterator[DepartmentMessage]:
    inquiry = inquiry_of(case)
    fields: dict[str, object] = {
        "part_id": fact.part_id,
        "inquiry_id": case.inquiry_id,
        "role": fact.role,
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "due": fact.due,
        "why": case.why,
        "policy_id": fact.policy_id or case.policy_id,
        "subject": inquiry.subject.text,
        "body": inquiry.body.text,
        "area": inquiry.area,
        "channel": inquiry.channel,
        "received_at": inquiry.received_at,
    }
    if fact.provisional:
        fields["provisional"] = fact.provisional
    if fact.return_until is not None:
        fields["return_until"] = fact.return_until
    if fact.binding:
        fields["binding"] = True
    if inquiry.contact and not inquiry.confidential:
        fields["contact"] = inquiry.contact
    if case.additions:
        fields["added"] = [{"at": one.at, "text": one.text.text} for one in case.additions]
    if fact.parent is not None:
        fields |= offered_fields(case, case.parts[fact.part_id], directory)
    elif returned := [
        {"department": part.department, "reason": back.reason, "words": back.words.text}
        for part, back in case.returned_parts
    ]:
        fields["returned"] = returned
    if fact.round > 1:
        fields["round"] = fact.round
        if (rejected := rejected_answer(case)) is not None:
            fields["reopened"] = rejected
    yield DepartmentMessage(fact.department, "part.offered", fields)


def _changed(case: Case, fact: facts.Changed, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    fields: dict[str, object] = {
        "part_id": fact.part_id,
        "inquiry_id": case.inquiry_id,
        "role": fact.role,
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "why": HANDLERS_CHANGED,
    }
    if fact.binding:
        fields |= {"why": case.why, "binding": True}
    yield DepartmentMessage(fact.department, "part.changed", fields)


def _withdrawn(case: Case, fact: facts.Withdrawn, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    why = ERASED if case.status == "erased" else words.get("why") or ""
    fields = {"part_id": fact.part_id, "inquiry_id": case.inquiry_id, "why": why}
    yield DepartmentMessage(fact.department, "part.withdrawn", fields)
    # The end of the inquiry says it all.
    if case.status not in ENDED and (parent := parent_of(case, fact.part_id)) is not None:
        yield DepartmentMessage(parent.department, "part.returned", withdrawn_fields(case, fact, words))


def _contributed(case: Case, fact: facts.Contributed, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    if (parent := parent_of(case, fact.part_id)) is not None:
        yield DepartmentMessage(parent.department, "part.contributed", contributed_fields(case, fact, words))


def _returned(case: Case, fact: facts.Returned, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    if (parent := parent_of(case, fact.part_id)) is not None:
        yield DepartmentMessage(parent.department, "part.returned", returned_fields(case, fact, words))


def _answered(
    case: Case, fact: facts.Answered | facts.Supplemented, words: FactWords, _: CityIndex
) -> Iterator[DepartmentMessage]:
    for part in (*case.active_parts, *case.delegated_parts):
        delegated = part.parent in fact.parts and part.state == "contributed"
        if part.id in fact.parts or delegated:
            fields = {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round, **_missing(case)}
            if isinstance(fact, facts.Supplemented):
                fields["addendum"] = fact.addendum
            yield DepartmentMessage(part.department, "part.closed", fields)


def _missing(case: Case) -> dict[str, object]:
    """The departments without which the lead went ahead; only if there are any."""
    missing = [part.department for part in case.active_parts if part.omitted]
    return {"missing": missing} if missing else {}


def _omitted(case: Case, fact: facts.Omitted, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    fields = {"part_id": fact.part_id, "inquiry_id": case.inquiry_id, "lead": case.lead}
    yield DepartmentMessage(fact.department, "part.omitted", fields)


def _closed_before_answer(case: Case) -> Iterator[DepartmentMessage]:
    for part in (*case.active_parts, *case.delegated_parts):
        fields = {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round}
        yield DepartmentMessage(part.department, "part.closed", fields)


def _rated(case: Case, fact: facts.Rated, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    # In the decision that reopens the case, the rated answer is still the one that was released last.
    for one in case.released_paragraphs:
        fields: dict[str, object] = {
            "part_id": one.part_id,
            "inquiry_id": case.inquiry_id,
            "round": fact.round,
            "solved": fact.solved,
            "satisfied": fact.satisfied,
        }
        if (said := words.get("words")) is not None:
            fields["words"] = said
        yield DepartmentMessage(one.department, "part.rated", fields)


def _ended(
    case: Case, fact: facts.CaseRefused | facts.CaseWithdrawn, words: FactWords, _: CityIndex
) -> Iterator[DepartmentMessage]:
    """To the departments that have contributed; those with an open part get `part.withdrawn`."""
    yield from _closed_before_answer(case)


def _erased(case: Case, fact: facts.CaseErased, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    """For every part, because also a department that returned its part has received words."""
    for part in case.parts.values():
        fields = {"part_id": part.id, "inquiry_id": case.inquiry_id}
        yield DepartmentMessage(part.department, "part.erased", fields)


def _awaiting_release(
    case: Case, fact: facts.AwaitingRelease, words: FactWords, _: CityIndex
) -> Iterator[DepartmentMessage]:
    reply, lead = case.reply, case.lead
    if reply is None or lead is None:
        return
    fields: dict[str, object] = {
        "inquiry_id": case.inquiry_id,
        "reply_id": reply.id,
        "version": reply.version,
        "sha256": reply.sha256,
        "text": reply.text.text,
        "paragraphs": [
            {"part_id": one.part_id, "department": one.department, "name": one.name, "text": one.text.text}
            for one in reply.paragraphs
        ],
        **reply.frame.texts,
        **_missing(case),
    }
    if reply.addendum:
        fields["addendum"] = reply.addendum
    yield DepartmentMessage(lead, "reply.draft", fields)


def _release_refused(
    case: Case, fact: facts.ReleaseRefused, words: FactWords, _: CityIndex
) -> Iterator[DepartmentMessage]:
    for one in case.reply.paragraphs if case.reply else ():
        if fact.part_id in (None, one.part_id):
            fields = {
                "part_id": one.part_id,
                "inquiry_id": case.inquiry_id,
                "reply_id": fact.reply_id,
                "version": fact.version,
                "words": words.get("words") or "",
            }
            yield DepartmentMessage(one.department, "reply.refused", fields)


def _corrected(case: Case, fact: facts.Corrected, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for one in case.released.paragraphs if case.released else ():
        if one.part_id in fact.parts:
            about = {"reply_id": fact.reply_id, "version": fact.version, "text": one.text.text}
            yield from _to_all(case, "reply.corrected", one, about)


def _retracted(case: Case, fact: facts.Retracted, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for one in case.released_paragraphs:
        if one.part_id in fact.parts:
            about = {"reply_id": fact.reply_id, "version": fact.version, "words": words.get("words") or ""}
            yield from _to_all(case, "reply.retracted", one, about)


def _to_all(
    case: Case, type_: str, paragraph: ReplyParagraph, about: Mapping[str, object]
) -> Iterator[DepartmentMessage]:
    """A message about one paragraph to every department in the reply: all of them answered with it."""
    own = {"part_id": paragraph.part_id, "department": paragraph.department, "inquiry_id": case.inquiry_id}
    for one in case.released_paragraphs:
        yield DepartmentMessage(one.department, type_, {**own, **about})


def _added(case: Case, fact: facts.Added, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for part in (*case.active_parts, *case.delegated_parts):
        fields: dict[str, object] = {
            "part_id": part.id,
            "inquiry_id": case.inquiry_id,
            "text": words.get("text") or "",
        }
        if case.answered_questions:
            fields["asked"] = [{"department": one.department, "text": one.text.text} for one in case.answered_questions]
        yield DepartmentMessage(part.department, "part.added", fields)


def _paused(case: Case, fact: facts.Paused, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    question = case.questions[-1]
    for one in fact.parts:
        fields = {
            "part_id": one["part_id"],
            "inquiry_id": case.inquiry_id,
            "asked_by": question.department,
            "text": question.text.text,
            "close_at": question.close_at,
        }
        yield DepartmentMessage(one["department"], "part.paused", fields)


def _resumed(case: Case, fact: facts.Resumed, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for one in fact.parts:
        fields: dict[str, object] = {"part_id": one["part_id"], "inquiry_id": case.inquiry_id, "due": one["due"]}
        if one["return_until"] is not None:
            fields["return_until"] = one["return_until"]
        yield DepartmentMessage(one["department"], "part.resumed", fields)


def _closed(case: Case, fact: facts.Closed, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for part in (*case.active_parts, *case.delegated_parts):
        fields = {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round, "reason": fact.reason}
        yield DepartmentMessage(part.department, "part.closed", fields)


def _extended(case: Case, fact: facts.Extended, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    fields = {"part_id": fact.part_id, "inquiry_id": case.inquiry_id, "until": fact.until}
    yield DepartmentMessage(fact.department, "part.extended", fields)


def _extension_refused(
    case: Case, fact: facts.ExtensionRefused, words: FactWords, _: CityIndex
) -> Iterator[DepartmentMessage]:
    fields = {"part_id": fact.part_id, "inquiry_id": case.inquiry_id, "reason": words.get("reason") or ""}
    yield DepartmentMessage(fact.department, "part.extension-refused", fields)


def inquiry_of(case: Case) -> Inquiry:
    # A part is offered only after `Registered`, the first fact of every case, so there is a message.
    assert case.inquiry is not None
    return case.inquiry


INBOXES: Mapping[type[Fact], Callable[[Case, Any, FactWords, CityIndex], Iterator[DepartmentMessage]]] = {
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Withdrawn: _withdrawn,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Answered: _answered,
    facts.Supplemented: _answered,
    facts.Omitted: _omitted,
    facts.Rated: _rated,
    facts.AwaitingRelease: _awaiting_release,
    facts.ReleaseRefused: _release_refused,
    facts.Corrected: _corrected,
    facts.Retracted: _retracted,
    facts.Added: _added,
    facts.Paused: _paused,
    facts.Resumed: _resumed,
    facts.Closed: _closed,
    facts.Extended: _extended,
    facts.ExtensionRefused: _extension_refused,
    facts.CaseRefused: _ended,
    facts.CaseWithdrawn: _ended,
    facts.CaseErased: _erased,
}
