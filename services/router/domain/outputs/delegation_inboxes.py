"""What the inbox messages of a delegated part say, to its department and to the one above."""

from collections.abc import Mapping

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.part import ACTIVE, Part
from services.router.domain.words import FactWords
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

DELEGATED_BY = gettext_noop("delegated by %(department)s")
WITHDRAWN = "withdrawn"
"""The reason in `part.returned` when the desk, and not the department, ended a delegated part."""


def parent_of(case: Case, part_id: str) -> Part | None:
    """The part of which this one is a piece; None for a part that was not delegated, and once the department above has left it.

    A part that is answered in an earlier round still is the department's.
    """
    parent = case.parts.get(case.parts[part_id].parent or "")
    return parent if parent is not None and parent.state in ACTIVE else None


def offered_fields(case: Case, part: Part, directory: CityIndex) -> dict[str, object]:
    """The fields of `part.offered` that only a delegated part has, or has otherwise."""
    above = case.parts[part.parent or ""].department
    why = [translations(one).gettext(DELEGATED_BY) % {"department": directory.name(above, one)} for one in LANGUAGES]
    fields: dict[str, object] = {"why": " / ".join(why), "parent": part.parent, "delegated_by": above}
    if part.instructions is not None:
        fields["instructions"] = part.instructions.text
    return fields


def contributed_fields(case: Case, fact: facts.Contributed, words: FactWords) -> Mapping[str, object]:
    """The fields of `part.contributed` for the department above."""
    actions = [
        {
            "kind": words.get(f"actions/{at}/kind") or one["kind"],
            "at": one["at"],
            "note": words.get(f"actions/{at}/note"),
        }
        for at, one in enumerate(fact.actions)
    ]
    fields = _about(case, fact) | {"text": words.get("text") or ""}
    return fields | ({"actions": actions} if actions else {})


def returned_fields(case: Case, fact: facts.Returned, words: FactWords) -> Mapping[str, object]:
    """The fields of `part.returned` for the department above."""
    fields = _about(case, fact) | {
        "reason": words.get("reason") or fact.reason,
        "words": words.get("words") or "",
    }
    return fields | ({"suggest": fact.suggest} if fact.suggest else {})


def withdrawn_fields(case: Case, fact: facts.Withdrawn, words: FactWords) -> Mapping[str, object]:
    """The fields of `part.returned` for the department above, when the desk has ended the part."""
    return _about(case, fact) | {"reason": WITHDRAWN, "words": words.get("why") or ""}


def _about(case: Case, fact: facts.Contributed | facts.Returned | facts.Withdrawn) -> dict[str, object]:
    return {
        "part_id": fact.part_id,
        "parent": case.parts[fact.part_id].parent,
        "inquiry_id": case.inquiry_id,
        "department": fact.department,
    }
