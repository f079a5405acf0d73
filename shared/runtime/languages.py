"""Which of the city's languages somebody prefers."""

from typing import Literal

Lang = Literal["zh", "en"]
CHOICES_READ = 50


def language_of(accept_language: str | None) -> Lang:
    """English if `Accept-Language` prefers it to Chinese, else Chinese; what is unreadable is passed over."""
    weighed: list[tuple[float, int, str]] = []
    for place, entry in enumerate((accept_language or "").split(",")[:CHOICES_READ]):
        tag, _, parameters = entry.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighed.append((-weight, place, tag.strip().lower().partition("-")[0]))
    for negative, _, tag in sorted(weighed):
        if negative < 0 and tag in ("zh", "en"):
            return "en" if tag == "en" else "zh"
    return "zh"
