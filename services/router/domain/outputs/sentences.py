"""The sentences of each fact for residents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact, RefusalReason
from services.router.domain.words import FactWords
from shared.runtime.translations import gettext_noop, translations

SENTENCES: Mapping[type[Fact], str] = {
    facts.Registered: gettext_noop("Your message is registered under the number %(inquiry_id)s."),
    facts.Triaged: gettext_noop("A person is looking at your message to find the department that must answer."),
    facts.Assigned: gettext_noop("Your message is with %(handlers)s. You will hear from them by %(first_reply)s."),
    facts.Replied: gettext_noop("%(department)s writes: %(text)s"),
    facts.Answered: gettext_noop("Your message is answered.\n\n%(reply)s"),
    facts.Supplemented: gettext_noop("There is an addition to the reply to your message.\n\n%(reply)s"),
    facts.Rated: gettext_noop("Your rating is recorded. Thank you."),
    facts.LinkRequested: gettext_noop(
        "As requested, here is the link to your message. If you did not ask for it, you need not do anything."
    ),
    facts.Accepted: gettext_noop("%(department)s has taken up your message."),
    facts.Contributed: gettext_noop("%(department)s has handed in its share of the answer."),
    facts.Returned: gettext_noop("%(department)s has given its part back; somebody else will be found."),
    facts.Withdrawn: gettext_noop("%(department)s no longer handles your message."),
    facts.AwaitingRelease: gettext_noop("The reply is complete. It is being checked and is then sent to you."),
    facts.ReleaseRefused: gettext_noop("The reply is being revised before it is sent to you."),
    facts.Corrected: gettext_noop("The reply to your message is corrected.\n\n%(reply)s"),
    facts.Retracted: gettext_noop("This reply no longer holds: %(departments)s. The reason:\n\n%(words)s"),
    facts.HallPublished: gettext_noop("Your message and the reply are published, with personal data removed."),
    facts.HallHidden: gettext_noop("Your message is not among the public replies."),
    facts.HallRedacted: gettext_noop("In the public version of your message and the reply, more words are hidden."),
    facts.Asked: gettext_noop(
        "%(asker)s has a question for you. Please answer on the page of your message by %(close_at)s. "
        "The deadlines wait until then.\n\n%(text)s"
    ),
    facts.Reminded: gettext_noop(
        "We still need your answer to %(asker)s. Without it, your message is closed on %(close_at)s.\n\n%(text)s"
    ),
    facts.Added: gettext_noop("We have received your addition and passed it on."),
    facts.Extended: gettext_noop("%(department)s needs more time. You receive its answer by %(until)s."),
    facts.Reopened: gettext_noop(
        "Your rating has reopened your message. It is with %(handlers)s again. You will hear from them by %(first_reply)s."
    ),
    facts.Closed: gettext_noop(
        "Your message is closed. The reason: %(why)s\n\n"
        "If something new happens, please write to us again and name this ticket number."
    ),
    facts.RatingReminded: gettext_noop(
        "You have received a reply. Please tell us on the page of your message whether the problem is solved and whether "
        "you are satisfied. The departments that answered read what you write."
    ),
    facts.CaseRefused: gettext_noop("We cannot take up your message: %(reason)s.\n\n%(words)s"),
    facts.CaseWithdrawn: gettext_noop("You have withdrawn your message. The departments have been told."),
}
"""Golden files hold these sentences: messages that are already stored would differ from newly made ones."""
REOPENED_BY_ANSWER = gettext_noop("Your answer has reached us. Your message is being handled again.")
CLOSED_UNANSWERED = gettext_noop(
    "Your message is closed, because we did not receive your answer. "
    "You can still answer on the page of your message: we then continue at once."
)
REOPENED_IN_TRIAGE = gettext_noop(
    "Your rating has reopened your message. A coordinator now decides which department takes it over."
)
REFUSED_BECAUSE: Mapping[RefusalReason, str] = {
    "not-a-government-matter": gettext_noop("it is not a matter for the city government"),
    "legal-proceedings": gettext_noop("courts, arbitration or administrative review decide on it"),
    "another-authority": gettext_noop("another authority is responsible for it"),
    "no-clear-request": gettext_noop("we cannot tell what you ask for"),
    "answered-before": gettext_noop("we have answered you about it before"),
}
INSTEAD = gettext_noop("Where you can turn instead: %(instead)s")


class HandlerFields(TypedDict):
    """A department that handles the inquiry, as its resident may see it."""

    code: str
    name: str
    role: str
    state: str
    due_at: str | None


def sentence(
    case: Case, fact: Fact, said: FactWords, handlers: Sequence[HandlerFields], reply: str, directory: CityIndex
) -> str:
    """What the resident is told of a fact, in the language of the message; `reply` is the joint reply's text."""
    language = case.inquiry.language if case.inquiry else "zh"
    text = SENTENCES[type(fact)]
    if isinstance(fact, facts.Reopened):
        if fact.policy_id is None:
            text = REOPENED_BY_ANSWER
        elif not handlers:
            text = REOPENED_IN_TRIAGE
    elif isinstance(fact, facts.Closed) and fact.reason == "unanswered":
        text = CLOSED_UNANSWERED
    return translations(language).gettext(text) % _values(case, fact, said, handlers, reply, directory)


def _values(
    case: Case, fact: Fact, said: FactWords, handlers: Sequence[HandlerFields], reply: str, directory: CityIndex
) -> Mapping[str, str]:
    """The values for the placeholders of the fact's sentence."""
    language = case.inquiry.language if case.inquiry else "zh"
    match fact:
        case facts.Registered():
            return {"inquiry_id": case.inquiry_id}
        case facts.Reopened() if not handlers or fact.policy_id is None:
            return {}
        case facts.Closed():
            return {"why": said.get("why") or ""}
        case facts.Assigned() | facts.Reopened():
            return {"handlers": _handlers(handlers, language), "first_reply": _first_reply(case, directory)}
        case facts.Replied():
            return {"department": directory.name(fact.department, language), "text": said.get("text") or ""}
        case facts.Answered() | facts.Corrected() | facts.Supplemented():
            return {"reply": reply}
        case facts.Retracted():
            comma = translations(language).pgettext("between two names", ", ")
            names = [directory.name(case.parts[one].department, language) for one in fact.parts]
            return {"departments": comma.join(names), "words": said.get("words") or ""}
        case facts.Asked():
            asker = asker_name(fact.department, language, directory)
            return {"asker": asker, "close_at": _minute(fact.close_at, directory), "text": said.get("text") or ""}
        case facts.Reminded():
            question = next(one for one in case.questions if one.part_id == fact.part_id)
            asker, text = asker_name(question.department, language, directory), question.text.text
            return {"asker": asker, "close_at": _minute(question.close_at, directory), "text": text}
        case facts.Extended():
            department = directory.name(fact.department, language)
            return {"department": department, "until": _minute(fact.until, directory)}
        case facts.CaseRefused():
            return _refused(fact, said, language)
        case facts.Accepted() | facts.Contributed() | facts.Returned() | facts.Withdrawn():
            return {"department": directory.name(fact.department, language)}
    return {}


def _refused(fact: facts.CaseRefused, said: FactWords, language: str) -> Mapping[str, str]:
    texts = translations(language)
    words = said.get("words") or ""
    if instead := said.get("instead"):
        words += "\n\n" + texts.gettext(INSTEAD) % {"instead": instead}
    return {"reason": texts.gettext(REFUSED_BECAUSE[fact.reason]), "words": words}


def _handlers(handlers: Sequence[HandlerFields], language: str) -> str:
    """The names of the departments: the lead, then the co-handlers."""
    texts = translations(language)
    comma = texts.pgettext("between two names", ", ")
    lead = comma.join(one["name"] for one in handlers if one["role"] == "lead")
    others = comma.join(one["name"] for one in handlers if one["role"] != "lead")
    if not others:
        return texts.pgettext("the only department", "%(lead)s") % {"lead": lead}
    return texts.gettext("%(lead)s (leading), with %(others)s") % {"lead": lead, "others": others}


def _first_reply(case: Case, directory: CityIndex) -> str:
    """The earliest first-reply time of the open parts, in the city's time zone."""
    return _minute(min(part.due["first_reply"] for part in case.active_parts), directory)


def asker_name(department: str | None, language: str, directory: CityIndex) -> str:
    """Who asks the resident: the department, or the city's staff."""
    if department is None:
        return translations(language).gettext("Our staff")
    return directory.name(department, language)


def _minute(moment: str, directory: CityIndex) -> str:
    """A time in the city's time zone, to the minute."""
    return datetime.fromisoformat(moment).astimezone(directory.zone).replace(tzinfo=None).isoformat(" ", "minutes")
