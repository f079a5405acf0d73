"""People's texts on a page in another language or with another direction of writing."""

import re
import unicodedata

from shared.runtime.languages import Lang

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Embeddings, overrides and isolates. One that is not closed would turn around the text that follows."""
CHARACTERS_READ = 2_000
PRINTABLE_ASCII = re.compile(r"[!-~]+")
"""Where an address may be. A pattern for addresses themselves would take seconds for a long text without a space."""


def without_bidi_controls(text: str) -> str:
    """The text without embeddings, overrides and isolates; browsers isolate `<bdi>` by such characters themselves."""
    return text.translate(BIDI_CONTROLS)


def isolated(text: str) -> str:
    """The text as one line in an isolate, for places that cannot have markup, such as `<title>`.

    A line separator would end the isolate too.
    """
    return f"{FIRST_STRONG_ISOLATE}{' '.join(without_bidi_controls(text).split())}{POP_ISOLATE}"


def isolated_where_needed(text: str) -> str:
    """The text, in an isolate if it has letters that are written from right to left, or bidi controls."""
    turned = any(unicodedata.bidirectional(one) in ("R", "AL") or ord(one) in BIDI_CONTROLS for one in text)
    return isolated(text) if turned else text


def language_tag(text: str, declared: str) -> str:
    """The language of a text for `lang=`: that of most of its letters; the declared one if it has no letters.

    Screen readers and fonts depend on it. The declared language is that of the form or the page, so a text may be in the
    other one. Addresses do not count. Empty for any other script: screen readers would read it as Chinese or English.
    """
    words = PRINTABLE_ASCII.sub(_without_address, text[:CHARACTERS_READ])
    letters = [one for one in words if one.isalpha()]
    han = sum(_is_han(one) for one in letters)
    latin = sum(unicodedata.name(one, "").startswith(("LATIN", "FULLWIDTH LATIN")) for one in letters)
    if not letters:
        return TAGS["en" if declared == "en" else "zh"]
    # A Han character is about a word, a Latin letter a fifth of one.
    if han and 5 * han >= latin:
        return TAGS["zh"]
    return TAGS["en"] if 2 * latin >= len(letters) else ""


TAGS: dict[Lang, str] = {"zh": "zh-CN", "en": "en"}


def _without_address(found: re.Match[str]) -> str:
    return " " if "://" in found[0] or "@" in found[0] else found[0]


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")
