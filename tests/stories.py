"""The story with every kind of step, shared by tests of whole decisions and of the messages made from them."""

from collections.abc import Callable
from typing import Any

from tests.builders import (
    Step,
    accepted,
    assigned,
    contributed,
    drafted,
    link_requested,
    rated,
    received,
    replied,
    returned,
    withdrawn,
)


def every_step(text: Callable[[str], str], **message: Any) -> tuple[Step, ...]:
    """`text` makes the free text of a field; `message` has further fields of the resident's message."""
    return (
        received(f"三家一起 {text('subject')}", text("body"), area=text("area"), **message),
        accepted("roads", by=text("by")),
        replied("roads", text("interim"), by=text("by")),
        drafted("water", text("draft")),
        accepted("water", by=text("refused")),
        returned("lighting", words=text("words")),
        assigned("parks"),
        withdrawn("parks", text("why")),
        contributed("roads", text("text"), by=text("by")),
        contributed("water", text("text")),
        rated(words=text("rating")),
        link_requested(),
    )
