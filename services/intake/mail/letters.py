"""Writes the words of a mail as the message or the addition of a resident: nothing is cut, and what is missing is said."""

import re

from services.intake.mail.mail_files import TakenFiles
from services.intake.mail.parsing import ParsedMail
from shared.contracts.fields import is_blank
from shared.contracts.limits import SUBJECT_MAX
from shared.runtime.languages import Lang
from shared.runtime.translations import gettext_noop, translations

HAN = re.compile(r"[\u4e00-\u9fff]")
REPLACED = gettext_noop("Some characters of this mail could not be read; \ufffd stands for them. The original is kept.")
ATTACHED = gettext_noop("Attached to the mail, and not passed on: %(names)s")
FILES_ONLY = gettext_noop("Sent by mail: %(names)s")
NO_SUBJECT = gettext_noop("Mail without a subject")
CUT = "…"


def language_of_text(text: str) -> Lang:
    """Chinese, unless the text has letters and no Chinese character."""
    return "en" if any(one.isalpha() for one in text) and not HAN.search(text) else "zh"


def subject_and_body(parsed: ParsedMail, language: Lang, files: TakenFiles | None = None) -> tuple[str, str]:
    """The subject and the body of a message; the body is empty if the mail has no words at all."""
    subject, words = parsed.subject, parsed.text
    if is_blank(words):
        words = "" if is_blank(subject) else subject
    if is_blank(subject):
        lines = [one.strip() for one in words.splitlines() if not is_blank(one)]
        subject = lines[0] if lines else translations(language).gettext(NO_SUBJECT)
    if len(subject) > SUBJECT_MAX:
        if subject not in words:
            words = f"{subject}\n\n{words}"
        subject = subject[: SUBJECT_MAX - len(CUT)] + CUT
    return subject, _with_notes(words, parsed, language, files)


def addition_text(words: str, parsed: ParsedMail, language: Lang, files: TakenFiles | None = None) -> str:
    """The words of a reply; empty if it has none."""
    return _with_notes("" if is_blank(words) else words, parsed, language, files)


def _with_notes(words: str, parsed: ParsedMail, language: Lang, files: TakenFiles | None) -> str:
    """The words, what is missing in them, and without words which files came."""
    texts = translations(language)
    comma = texts.pgettext("between two names", ", ")
    left_out = [one.name for one in parsed.attachments] if files is None else files.left_out
    notes = [words] if words else []
    if files is not None and files.names and not words:
        notes.append(texts.gettext(FILES_ONLY) % {"names": comma.join(files.names)})
    if left_out:
        notes.append(texts.gettext(ATTACHED) % {"names": comma.join(left_out)})
    if parsed.replaced and words:
        notes.append(texts.gettext(REPLACED))
    return "\n\n".join(notes)
