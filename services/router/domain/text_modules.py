"""Fills text modules from a case, and finds the module behind a text that was filled."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Literal, NamedTuple

from babel.dates import format_date

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.part import ACTIVE, Part
from services.router.domain.terms import LATIN_WORD, between_spaces, is_latin, normalised, term_of
from shared.city.text_modules import PLACEHOLDER, PLACEHOLDERS, TextModule
from shared.runtime import timestamps
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.translations import LOCALES, gettext_noop, translations

MeantFor = Literal["this", "all", "others"]
Values = Mapping[Lang, Mapping[str, str | None]]
"""By language, what each placeholder stands for in a case; None where the case does not have it."""
MARK = "\ue000"
"""Stands for a value in a skeleton. It is of private use, and no skeleton keeps one that somebody has written."""
VALUE_MIN = 2
"""A shorter value would be found everywhere."""
LABELS: Mapping[str, str] = {
    "inquiry_id": gettext_noop("ticket number"),
    "subject": gettext_noop("subject"),
    "department": gettext_noop("department"),
    "received_on": gettext_noop("date of receipt"),
    "due_on": gettext_noop("date by which it is due"),
    "area": gettext_noop("area"),
    "resident_name": gettext_noop("name of the resident"),
    "city": gettext_noop("name of the city"),
    "telephone": gettext_noop("telephone number"),
}
"""What a gap calls the value that is missing."""
_GAP = gettext_noop("[missing: %(what)s]")


class Filled(NamedTuple):
    """A text with the values of a case, and the placeholders for which the case has none: the text shows a gap there."""

    text: str
    missing: tuple[str, ...]


def values_of(case: Case, part: Part, city: CityIndex) -> Values:
    """The values of a case for the department of this part. A name that the resident keeps confidential is missing."""
    return {language: _values(case, part, city, language) for language in LANGUAGES}


def _values(case: Case, part: Part, city: CityIndex, language: Lang) -> Mapping[str, str | None]:
    inquiry = case.inquiry
    name = inquiry.contact.name if inquiry and inquiry.contact and not inquiry.confidential else None
    own = city.city.name
    return {
        "inquiry_id": case.inquiry_id,
        "subject": (inquiry.subject.text or None) if inquiry else None,
        "department": city.name(part.department, language),
        "received_on": _date(inquiry.received_at, city.zone, language) if inquiry else None,
        "due_on": _date(part.due["resolve"], city.zone, language) if part.pause is None else None,
        "area": (inquiry.area or None) if inquiry else None,
        "resident_name": name or None,
        "city": own.en if language == "en" else own.zh,
        "telephone": city.city.telephone,
    }


def _date(at: str, zone: tzinfo, language: Lang) -> str:
    return format_date(timestamps.from_text(at).astimezone(zone), "long", LOCALES[language])


def fill(text: str, values: Mapping[str, str | None], language: Lang) -> Filled:
    """The text with each placeholder replaced once: a value that looks like a placeholder stays as it is."""
    missing: dict[str, None] = {}

    def value_of(found: re.Match[str]) -> str:
        name = found[1].strip()
        value = values.get(name)
        if value is None:
            missing[name] = None
            return gap(name, language)
        return value

    return Filled(PLACEHOLDER.sub(value_of, text), tuple(missing))


def gap(name: str, language: Lang) -> str:
    """What a filled text shows for a value that is missing."""
    catalogue = translations(language)
    what = catalogue.gettext(LABELS[name]) if name in LABELS else name
    return catalogue.gettext(_GAP) % {"what": what}


def gaps_in(text: str) -> tuple[str, ...]:
    """The placeholders of which a text still has the gap, or which nobody has filled."""
    unfilled = {found.strip() for found in PLACEHOLDER.findall(text)}
    return tuple(one for one in PLACEHOLDERS if one in unfilled or any(gap(one, lang) in text for lang in LANGUAGES))


def own_part(case: Case, department: str) -> Part | None:
    """The newest part of this department that it did not leave."""
    return next(
        (one for one in reversed(list(case.parts.values())) if one.department == department and one.state in ACTIVE),
        None,
    )


def by_fitness(modules: Iterable[TextModule], case: Case, city: CityIndex) -> Sequence[tuple[TextModule, MeantFor]]:
    """The modules with those that are meant for the subject and category of the case first, those for others last."""
    rule = city.rules_by_id.get(case.rule or "")
    subject = case.inquiry.subject.text if case.inquiry else ""
    found = [(one, meant_for(one, subject, rule.category if rule else None)) for one in modules]
    return sorted(found, key=lambda one: ("this", "all", "others").index(one[1]))


def meant_for(module: TextModule, subject: str, category: str | None) -> MeantFor:
    if not module.subjects and not module.categories:
        return "all"
    in_subject = not module.subjects or has_term(module.subjects, subject)
    return "this" if in_subject and (not module.categories or category in module.categories) else "others"


def has_term(terms: Iterable[str], subject: str) -> bool:
    """Whether the subject line has one of these terms, which match as those of rules do."""
    title = normalised(subject)
    line = f" {' '.join(LATIN_WORD.findall(title))} "
    return any(between_spaces(one) in line if is_latin(one) else one in title for one in map(term_of, terms))


# ── the module behind a text ─────────────────────────────────────────────────


def modules_behind(text: str, values: Values, modules: Collection[TextModule]) -> Iterator[TextModule]:
    """The modules that this text has unchanged, apart from values, white space, width and punctuation."""
    found = skeleton(text, values, modules)
    return (one for one in modules if found in [skeleton_of(form) for form in _forms(one).values()] if found)


def skeleton(text: str, values: Values, modules: Iterable[TextModule]) -> str:
    """What a text of a case says without the values of the case: texts of the same module have the same skeleton.

    It has letters and digits, folded, and `MARK` for each value. A text that one of the modules fills has the skeleton
    of that module. In any other text every occurrence of a value is replaced, so that an edited one is comparable too.
    """
    letters = _letters(_folded(text))
    for one in modules:
        for language, form in _forms(one).items():
            if letters and _letters(_folded(fill(form, values[language], language).text)) == letters:
                return skeleton_of(form)
    return _letters(_without_values(_folded(text), values))


def skeleton_of(form: str) -> str:
    """The skeleton of a module's text."""
    parts = [_letters(_folded(one)) for one in PLACEHOLDER.sub(MARK, form).split(MARK)]
    return MARK.join(parts)


def _forms(module: TextModule) -> Mapping[Lang, str]:
    return {"zh": module.text.zh, "en": module.text.en}


def _without_values(folded: str, values: Values) -> str:
    gaps = [gap(one, language) for one in PLACEHOLDERS for language in LANGUAGES]
    found = {_folded(one) for language in LANGUAGES for one in values[language].values() if one} | set(
        map(_folded, gaps)
    )
    usual = sorted((one for one in found if len(one) >= VALUE_MIN), key=lambda one: (-len(one), one))
    return re.sub("|".join(map(_whole, usual)), MARK, folded)


def _whole(value: str) -> str:
    """A pattern for a value; one that begins or ends with a Latin letter or a digit is found as a whole word only."""
    before = "(?<![a-z0-9])" if re.match(r"[a-z0-9]", value) else ""
    after = "(?![a-z0-9])" if re.search(r"[a-z0-9]$", value) else ""
    return f"{before}{re.escape(value)}{after}"


def _folded(text: str) -> str:
    """NFKC and casefold with single spaces, and without the mark."""
    return " ".join(unicodedata.normalize("NFKC", text.replace(MARK, "")).casefold().split())


def _letters(text: str) -> str:
    """Without white space, punctuation and characters that no screen shows; the mark stays."""
    return "".join(one for one in text if one == MARK or unicodedata.category(one)[0] not in "ZPC")
