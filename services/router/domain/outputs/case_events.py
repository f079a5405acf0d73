"""Case events: what of each fact everyone may read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.router.domain.city_index import CityIndex

REASON_CODE = re.compile(r"[a-z]+(-[a-z]+)*")
PUBLIC_FIELDS: Mapping[str, tuple[str, ...]] = {
    "inquiry.registered": ("channel", "language", "public", "received_at"),
    "inquiry.triaged": ("reason", "part_id", "department"),
    "inquiry.assigned": ("lead", "co_handlers", "rule", "policy_id", "round"),
    "inquiry.replied": ("part_id", "department"),
    "inquiry.answered": ("round", "parts"),
    "inquiry.rated": ("round", "solved", "satisfied"),
    "part.offered": ("part_id", "department", "role", "due", "round"),
    "part.accepted": ("part_id", "department"),
    "part.contributed": ("part_id", "department"),
    "part.returned": ("part_id", "department", "reason", "suggest"),
    "part.withdrawn": ("part_id", "department"),
}
"""What of each fact everyone may read: never a resident's words, never a contact. A fact not named here is no event.

Each event also says the `state` of its case, the `departments` that handle it, lead first, and `part_states`, how many
parts are in each state."""


def return_codes(returned: Mapping[str, Any], directory: CityIndex) -> dict[str, Any]:
    """A department may write anything as its reason; what everyone may read for ever is a code, or `other`."""
    reason, suggest = returned["reason"], returned.get("suggest")
    return {
        "reason": reason if REASON_CODE.fullmatch(reason) else "other",
        "suggest": suggest if suggest in directory.departments else None,
    }
