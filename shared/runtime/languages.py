"""The two languages of Chorus, and which of them a reader prefers."""

from typing import Literal

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")
"""Both languages, in the order in which texts for departments show them."""
PREFERENCES_MAX = 50
"""How many entries of an `Accept-Language` header are read; a longer header comes from no browser."""


def language_of(accept_language: str | None) -> Lang:
    """English if `Accept-Language` (RFC 9110, 12.5.4) prefers it to Chinese, otherwise Chinese.

    Entries that cannot be read do not count.
    """
    preferences: list[tuple[float, int, str]] = []
    for position, entry in enumerate((accept_language or "").split(",")[:PREFERENCES_MAX]):
        tag, _, parameters = entry.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        preferences.append((-weight, position, tag.strip().lower().partition("-")[0]))
    for negative_weight, _, tag in sorted(preferences):
        if negative_weight < 0 and tag in LANGUAGES:
            return "en" if tag == "en" else "zh"
    return "zh"
