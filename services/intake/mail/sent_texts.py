"""The texts of the mails that residents got about a ticket, so that quotations of them can be told from new words."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from services.intake.mail.quotes import SentLines
from services.intake.responses import Ticket
from shared.city import City
from shared.runtime.catalogue_texts import texts_used_in
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.settings import Settings
from shared.runtime.translations import date_and_time, translations, zone_name

MINUTE = re.compile(r"\b\d{4}-\d{2}-\d{2} \d{2}:\d{2}\b", re.ASCII)
"""How the core writes a time; mails write it in words."""
MAILS = ("services/notifier/domain/notices.py", "services/notifier/templates/mail/")
"""Where the fixed texts of mails are."""


def sent_lines(ticket: Ticket, told: Iterable[str], city: City | None, settings: Settings) -> SentLines:
    """All lines that a mail about this ticket may have. `told` are the texts of the news."""
    zone = settings.zone(city.time_zone if city else None)
    texts = [ticket.subject, ticket.inquiry_id, *told]
    texts += [MINUTE.sub(lambda found: _in_words(found[0], zone, ticket.language), one) for one in told]
    if city is not None:
        texts += [city.name.zh, city.name.en]
    for language in LANGUAGES:
        texts += _with_values(language, ticket, city, zone)
    pages = (f"{settings.public_url}/", f"{settings.hall_url}/")
    return SentLines.of(texts, pages, settings.mail_in or "")


def _with_values(language: Lang, ticket: Ticket, city: City | None, zone: tzinfo) -> Iterator[str]:
    texts = translations(language)
    colon = texts.pgettext("between a name and its value", ": ")
    for text in texts_used_in(MAILS, language):
        yield from (text, f"{text}{colon}")
    yield f"{texts.gettext('Ticket number')}{colon}{ticket.inquiry_id}"
    yield f"{texts.gettext('Subject')}{colon}{ticket.subject}"
    yield texts.gettext("All times are in %(zone)s.") % {"zone": zone_name(zone, language)}
    if city is not None and city.telephone:
        yield f"{texts.gettext('Telephone')}{colon}{city.telephone}"


def _in_words(text: str, zone: tzinfo, language: Lang) -> str:
    try:
        return date_and_time(datetime.fromisoformat(text).replace(tzinfo=zone), zone, language)
    except ValueError:
        return text
