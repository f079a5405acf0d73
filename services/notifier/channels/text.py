"""The texts of mails: plain text and HTML from one template, in the recipient's language."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.notices import NEUTRAL, SUBJECTS
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.translations import LOCALES, date_and_time, translations, zone_name

TEMPLATES = Path(__file__).parents[1] / "templates"
Form = Literal["text", "html"]
FORMS: tuple[Form, ...] = ("text", "html")
MINUTE = re.compile(r"\b\d{4}-\d{2}-\d{2} \d{2}:\d{2}\b", re.ASCII)
"""How the core writes a time into its sentence, in the city's zone."""

WITH_TIMES = ("assigned", "asked", "reminded", "extended", "reopened")
"""The news whose first line has a time and no words of anybody."""


class MailSender(NamedTuple):
    """Who writes a mail: the city, with its telephone number and time zone."""

    names: Mapping[Lang, str]
    telephone: str | None
    zone: tzinfo


class MailLinks(NamedTuple):
    """The links in a mail to a resident; `confirm` only for an address that has not confirmed."""

    status: str
    stop: str
    confirm: str | None


class MailText(NamedTuple):
    plain: str
    html: str


def resident_text(mail: Sequence[Delivery], sender: MailSender, links: MailLinks) -> MailText:
    """One piece of news, or several as a digest. An unconfirmed address gets no words of anybody."""
    language = mail[-1].notice.language
    texts = translations(language)
    neutral = links.confirm is not None
    news = [
        {
            "at": one.notice.at,
            "heading": texts.gettext(SUBJECTS[one.notice.what]),
            "text": texts.gettext(NEUTRAL[one.notice.what]) if neutral else whole_text(one, sender.zone),
        }
        for one in mail
    ]
    values = {
        "heading": news[0]["heading"] if len(news) == 1 else texts.gettext(SUBJECTS["replied"]),
        "inquiry_id": mail[0].notice.inquiry_id,
        "about": None if neutral else mail[-1].notice.subject,
        "news": news,
        "status_url": links.status,
        "stop_url": links.stop,
        "confirm_url": links.confirm,
    }
    return rendered("mail/resident.html", (language,), values, sender)


def department_text(mail: Sequence[Delivery], subject: str | None, sender: MailSender) -> MailText:
    """The new parts of a department, in both languages."""
    offers = [one.notice.offer for one in mail]
    return rendered("mail/department.html", LANGUAGES, {"offers": offers, "about": subject}, sender)


def whole_text(delivery: Delivery, zone: tzinfo) -> str:
    """The sentences for the resident; times in the first line in words, as everywhere in a mail, if it is the core's own."""
    notice = delivery.notice
    text = notice.text or ""
    if notice.what not in WITH_TIMES:
        return text

    def in_words(found: re.Match[str]) -> str:
        try:
            at = datetime.fromisoformat(found[0]).replace(tzinfo=zone)
        except ValueError:
            return found[0]  # such as in the name of a department
        return date_and_time(at, zone, notice.language)

    first, line_break, rest = text.partition("\n")
    return MINUTE.sub(in_words, first) + line_break + rest


def rendered(template: str, languages: Iterable[Lang], values: Mapping[str, Any], sender: MailSender) -> MailText:
    """A template in each language, one after the other, in both forms."""
    bodies: dict[Form, list[tuple[str, str]]] = {form: [] for form in FORMS}
    for language in languages:
        shown = {"heading": translations(language).gettext("New part"), **values}
        shown |= {"city": sender.names[language], "telephone": sender.telephone, "zone": sender.zone}
        for form in FORMS:
            body = ENVIRONMENTS[language, form].get_template(template).render(shown)
            bodies[form].append((LOCALES[language].replace("_", "-"), body))
    plain = "\n".join(body for _, body in bodies["text"]).rstrip() + "\n"
    parts = [(tag, Markup(body)) for tag, body in bodies["html"]]
    title = values.get("heading") or translations("en").gettext("New part")
    return MailText(plain, ENVIRONMENTS["en", "html"].get_template("mail/frame.html").render(parts=parts, title=title))


def _environment(language: Lang, form: Form) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["marks"] = f"mail/as_{form}.html"
    environment.globals["colon"] = translations(language).pgettext("between a name and its value", ": ")
    environment.filters["date_and_time"] = lambda at, zone: date_and_time(at, zone, language)
    environment.filters["zone_name"] = lambda zone: zone_name(zone, language)
    return environment


ENVIRONMENTS = {(language, form): _environment(language, form) for language in LANGUAGES for form in FORMS}
