"""Normalises the texts of messages and the terms of rules, so that they can be compared."""

import re
import unicodedata

LATIN_WORD = re.compile(r"[a-z0-9]+")
_HAS_VARIANTS = re.compile(r"[^\x00-\x7f\u2010-\u2027\u3000-\u301f\u4e00-\u9fff\uff01-\uff0f\uff1a-\uff20]")


def normalised(text: str) -> str:
    """NFKC and casefold. NFKC is the slowest step of matching, so text without variant characters skips it."""
    return (unicodedata.normalize("NFKC", text) if _HAS_VARIANTS.search(text) else text).casefold()


def is_latin(term: str) -> bool:
    return term.isascii()


def term_of(text: str) -> str:
    """A term of a rule as it is matched: a Latin one is words with single spaces, and keeps a `*` at its end."""
    folded = normalised(text)
    if not is_latin(folded):
        return folded
    words = " ".join(LATIN_WORD.findall(folded))
    return f"{words}*" if folded.endswith("*") else words


def between_spaces(term: str) -> str:
    """A Latin term as it is found in a line of words with spaces around them; before `*` a word may go on."""
    return f" {term[:-1]}" if term.endswith("*") else f" {term} "
