"""Texts, dates and times in both languages. English is the source; Chinese comes from the catalogue in `shared/locale`."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.dates import format_date, format_time, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.runtime.languages import Lang

CATALOGUE = Path(__file__).parents[1] / "locale" / "zh" / "LC_MESSAGES" / "chorus.po"


def read_catalogue(path: Path) -> GNUTranslations:
    """A catalogue compiled in memory, so that no compiled file can be missing or older than its source."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


TRANSLATIONS: Mapping[str, NullTranslations] = {"en": NullTranslations(), "zh": read_catalogue(CATALOGUE)}
LOCALES: Mapping[Lang, str] = {"zh": "zh_CN", "en": "en_GB"}
"""The locales in which Babel writes dates and numbers: day before month and a 24-hour clock in English too."""


def translations(language: str) -> NullTranslations:
    """The standard library's `gettext`, `ngettext` and `pgettext` in this language; any other language is Chinese."""
    return TRANSLATIONS.get(language, TRANSLATIONS["zh"])


def gettext_noop(message: str) -> str:
    """The message itself, marked for the catalogue and translated where it is used."""
    return message


def date_and_time(at: datetime, zone: tzinfo, language: Lang) -> str:
    """Date and time of day to the minute: `2026年11月23日 00:30`, `23 November 2026 00:30`."""
    local, locale = at.astimezone(zone), LOCALES[language]
    return f"{format_date(local, 'long', locale)} {format_time(local, 'short', zone, locale)}"


def zone_name(zone: tzinfo, language: Lang) -> str:
    """The name of a time zone, such as `北京时间`, `Beijing Time`. Fixed offsets such as UTC have no generic name."""
    if str(zone) == "Asia/Shanghai":
        return translations(language).gettext("Beijing Time")  # Babel's name, China Time, is not the one in use there
    variant: Literal["generic", "standard"] = "generic" if zone.utcoffset(None) is None else "standard"
    return get_timezone_name(zone, zone_variant=variant, locale=LOCALES[language])
