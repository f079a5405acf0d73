"""The sentences of each fact for residents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.words import FactWords
from shared.runtime.translations import gettext_noop, translations

SENTENCES: Mapping[type[Fact], str] = {
    facts.Registered: gettext_noop("Your message is registered under the number %(inquiry_id)s."),
    facts.Triaged: gettext_noop("A person is looking at your message to find the department that must answer."),
    facts.Assigned: gettext_noop("Your message is with %(handlers)s. You will hear from them by %(first_reply)s."),
    facts.Replied: gettext_noop("%(department)s writes: %(text)s"),
    facts.Answered: gettext_noop("Your message is answered.\n\n%(reply)s"),
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
}
"""Golden files hold these sentences: messages that are already stored would differ from newly made ones."""


class HandlerFields(TypedDict):
    """A department that handles the inquiry, as its resident may see it."""

    code: str
    name: str
    role: str
    state: str
    due_at: str


def sentence(
    case: Case, fact: Fact, said: FactWords, handlers: Sequence[HandlerFields], reply: str, directory: CityIndex
) -> str:
    """What the resident is told of a fact, in the language of the message; `reply` is the joint reply's text."""
    language = case.inquiry.language if case.inquiry else "zh"
    return translations(language).gettext(SENTENCES[type(fact)]) % _values(case, fact, said, handlers, reply, directory)


def _values(
    case: Case, fact: Fact, said: FactWords, handlers: Sequence[HandlerFields], reply: str, directory: CityIndex
) -> Mapping[str, str]:
    """The values for the placeholders of the fact's sentence."""
    language = case.inquiry.language if case.inquiry else "zh"
    match fact:
        case facts.Registered():
            return {"inquiry_id": case.inquiry_id}
        case facts.Assigned():
            return {"handlers": _handlers(handlers, language), "first_reply": _first_reply(case, directory)}
        case facts.Replied():
            return {"department": directory.name(fact.department, language), "text": said.get("text") or ""}
        case facts.Answered() | facts.Corrected():
            return {"reply": reply}
        case facts.Retracted():
            comma = translations(language).pgettext("between two names", ", ")
            names = [directory.name(case.parts[one].department, language) for one in fact.parts]
            return {"departments": comma.join(names), "words": said.get("words") or ""}
        case facts.Accepted() | facts.Contributed() | facts.Returned() | facts.Withdrawn():
            return {"department": directory.name(fact.department, language)}
    return {}


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
    earliest = min(part.due["first_reply"] for part in case.active_parts)
    return datetime.fromisoformat(earliest).astimezone(directory.zone).replace(tzinfo=None).isoformat(" ", "minutes")
