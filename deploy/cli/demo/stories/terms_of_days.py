"""The policy of most stories, under which no clock runs out."""

from typing import Any

TERMS_OF_DAYS: dict[str, Any] = {
    "calendar": "natural",
    "clocks": {"accept": "2h", "first_reply": "12h", "resolve": "48h"},
    "joint_reply": {"wait": "all"},
    "returns": {"limit": 2, "reasons": ["not-ours", "wrong-area", "incomplete"]},
    "release": {"approvers": 0},
    "publication": "review",
}
