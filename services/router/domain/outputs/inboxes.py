"""The messages to departments' inboxes for each fact, with the fields of `shared/contracts/department_inbox.py`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from services.router.domain import facts
from services.router.domain.case import Case, Inquiry
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.reply import ReplyFrame
from services.router.domain.words import FactWords
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import translations

HANDLERS_CHANGED = " / ".join(
    translations(language).gettext("who handles this inquiry has changed") for language in LANGUAGES
)


class DepartmentMessage(NamedTuple):
    """A message to one department; `type` is without the prefix `chorus.`."""

    department: str
    type: str
    fields: Mapping[str, object]


def _offered(case: Case, fact: facts.Offered, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
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
    if inquiry.files:
        fields["files"] = inquiry.files
    if inquiry.contact and not inquiry.confidential:
        fields["contact"] = inquiry.contact
    if returned := [
        {"department": part.department, "reason": back.reason, "words": back.words.text}
        for part, back in case.returned_parts
    ]:
        fields["returned"] = returned
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
    fields = {"part_id": fact.part_id, "inquiry_id": case.inquiry_id, "why": words.get("why") or ""}
    yield DepartmentMessage(fact.department, "part.withdrawn", fields)


def _answered(case: Case, fact: facts.Answered, words: FactWords, _: CityIndex) -> Iterator[DepartmentMessage]:
    for part in case.active_parts:
        fields = {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round}
        yield DepartmentMessage(part.department, "part.closed", fields)


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
        **frame_fields(reply.frame),
    }
    yield DepartmentMessage(lead, "reply.draft", fields)


def frame_fields(frame: ReplyFrame) -> dict[str, str]:
    """The opening and the closing, each only if there is one."""
    texts = {"opening": frame.opening, "closing": frame.closing}
    return {name: one.text for name, one in texts.items() if one is not None}


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


def inquiry_of(case: Case) -> Inquiry:
    # A part is offered only after `Registered`, the first fact of every case, so there is a message.
    assert case.inquiry is not None
    return case.inquiry


INBOXES: Mapping[type[Fact], Callable[[Case, Any, FactWords, CityIndex], Iterator[DepartmentMessage]]] = {
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Withdrawn: _withdrawn,
    facts.Answered: _answered,
    facts.AwaitingRelease: _awaiting_release,
    facts.ReleaseRefused: _release_refused,
}
