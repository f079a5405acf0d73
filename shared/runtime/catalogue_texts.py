"""The texts of the catalogue by the file that uses them."""

from functools import cache

from babel.messages.pofile import read_po

from shared.runtime.languages import Lang
from shared.runtime.translations import CATALOGUE


@cache
def texts_used_in(places: tuple[str, ...], language: Lang) -> tuple[str, ...]:
    """The texts without placeholders in files whose path begins with one of these."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    used = [one for one in catalogue if one.id and any(path.startswith(places) for path, _ in one.locations)]
    texts = (one.id if language == "en" else one.string for one in used)
    return tuple(one for one in texts if isinstance(one, str) and "%(" not in one)
