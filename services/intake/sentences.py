"""What intake's pages tell a resident who must correct something, wait or try again."""

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal

from shared.runtime.languages import Lang
from shared.runtime.translations import LOCALES, gettext_noop, translations

UNAVAILABLE = gettext_noop(
    "We cannot save your message right now. What you wrote is still here. Please send it again in a few minutes."
)
TOO_MANY_MESSAGES = gettext_noop(
    "Too many messages have come from your connection. What you wrote is still here. Please send it again in a minute."
)
SENT_BEFORE = gettext_noop(
    "You have already sent this message several times, and each one is registered under its ticket number. "
    "Please look at the progress there. If you have something new to say, please change the text and send it again."
)
BEING_SAVED = gettext_noop(
    "We are saving this message right now. Please send it again in a moment. It is not registered twice."
)
DEPARTMENT_UNAVAILABLE = gettext_noop(
    "A department that you chose does not accept messages now. Please choose from the list."
)
NO_PREVIEW = gettext_noop(
    "We cannot show the public version right now. What you wrote is still here. "
    "Please try again in a few minutes, or send your message without a preview."
)
NO_SUCH_TICKET = gettext_noop("That ticket number and code do not match.")
TOO_MANY_WRONG_CODES = gettext_noop("Too many wrong codes for this ticket. Please try again in ten minutes.")
NO_TICKET_NUMBER = gettext_noop("Enter the ticket number, for example 20261122-ABCDEFGH.")
TOO_MANY_LINKS = gettext_noop(
    "The link has been requested too often. Please check your mail first, or try again later."
)
LINK_REQUESTED = gettext_noop(
    "If there is a message with this ticket number, and its writer gave an e-mail address, "
    "we send the link to that address within a few minutes."
)
REPORTED = gettext_noop("If this reply is public, a person looks at it and decides whether it stays as it is.")
TOO_MANY_REPORTS = gettext_noop(
    "Too many reports have come from your connection. What you wrote is still here. Please send it again in a minute."
)
REPORT_TOO_LONG = gettext_noop("Your report is too long, or has a character that cannot be saved. Please shorten it.")
REPORT_UNAVAILABLE = gettext_noop(
    "We cannot save your report right now. What you wrote is still here. Please send it again in a few minutes."
)
NOTHING_TO_ADD = gettext_noop("Nothing can be added to this message now. You can write a new one.")
NOT_RATEABLE = gettext_noop("You have already rated this reply, or there is no reply to rate yet.")
WITHDRAWN_BEFORE = gettext_noop("You have already withdrawn this message.")
HAPPENED: Mapping[str, str] = {
    "registered": gettext_noop("Registered"),
    "triage": gettext_noop("Finding the responsible department"),
    "assigned": gettext_noop("Sent to the departments"),
    "replied": gettext_noop("News about your message"),
    "answered": gettext_noop("Answered"),
    "refused": gettext_noop("Not accepted"),
    "withdrawn": gettext_noop("Withdrawn by you"),
    "erased": gettext_noop("Your message, your contact details and the replies have been erased."),
}
"""What the ticket of an erased message says of each step, because its own words are gone."""

WHY = gettext_noop(
    "We are sorry. Please tell us what is still wrong, so that the departments know. "
    "If you do not want to, send the rating as it is."
)

LABELS: Mapping[str, str] = {
    "subject": gettext_noop("Subject"),
    "body": gettext_noop("Message"),
    "area": gettext_noop("Place"),
    "name": gettext_noop("Name"),
    "phone": gettext_noop("Telephone"),
    "email": gettext_noop("E-mail"),
    "departments": gettext_noop("Departments"),
    "public": gettext_noop("Publication"),
    "confidential": gettext_noop("Confidentiality"),
    "words": gettext_noop("Anything to add"),
    "text": gettext_noop("Your addition"),
    "why": gettext_noop("Your reason"),
}
"""What the forms call each field."""

REMEDIES: Mapping[str, str] = {
    "subject": gettext_noop("Enter a subject."),
    "body": gettext_noop("Describe what happened."),
    "phone": gettext_noop("Enter a telephone number, for example 138 0000 0000."),
    "email": gettext_noop("Enter an e-mail address, for example name@mail.example."),
    "departments": gettext_noop("Choose departments from the list."),
    "text": gettext_noop("Write what you want to add."),
    "round": NOT_RATEABLE,
    "solved": gettext_noop("Choose whether the problem is solved."),
    "satisfied": gettext_noop("Choose whether you are satisfied."),
}
"""What to do about each field that has no useful value."""
CHECK_FIELD = gettext_noop("Please check this field.")


def labels(language: Lang) -> dict[str, str]:
    """The name of each field in this language."""
    return {field: translations(language).gettext(label) for field, label in LABELS.items()}


def field_sentence(field: str, error: Mapping[str, Any], language: Lang) -> str:
    """One of pydantic's errors about a field of a form, as a sentence for the resident who filled it in."""
    texts, value, limit = translations(language), error.get("input"), (error.get("ctx") or {}).get("max_length", 0)

    def number(count: int) -> str:
        return format_decimal(count, locale=LOCALES[language])

    if error["type"] == "string_too_long":
        return texts.gettext("“%(field)s” has %(count)s characters. The limit is %(limit)s.") % {
            "field": texts.gettext(LABELS[field]),
            "count": number(len(str(value))),
            "limit": number(limit),
        }
    if error["type"] == "too_long":
        return texts.gettext("Choose at most %(limit)s departments.") % {"limit": number(limit)}
    if error["type"] == "value_error" and "\0" in str(value):
        return texts.gettext("“%(field)s” contains a character that cannot be saved. Please delete it.") % {
            "field": texts.gettext(LABELS[field])
        }
    return texts.gettext(REMEDIES.get(field, CHECK_FIELD))
