"""Whether a client wants a page or a document: the `Accept` header (RFC 9110, 12.5.1)."""

from fastapi import Request

RANGES_MAX = 50
"""How many entries of a header are read; a longer header comes from no browser."""


def wants_page(request: Request) -> bool:
    """Whether the client is a browser: it accepts HTML, and at least as much as JSON."""
    weights = {"html": 0.0, "json": 0.0}
    for entry in request.headers.get("accept", "").split(",")[:RANGES_MAX]:
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        for form in weights:
            if media_type.endswith((f"/{form}", f"+{form}")):
                weights[form] = max(weights[form], _weight(parameters))
    return weights["html"] > 0 and weights["html"] >= weights["json"]


def _weight(parameters: list[str]) -> float:
    """The parameter `q`, 1 without one, 0 if it cannot be read."""
    given = next((one.removeprefix("q=") for one in parameters if one.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0
