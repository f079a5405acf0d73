"""The auditor completes stored messages independently of the product, with the same result."""

from typing import Any

import pytest

from services.router.domain.decision import Decision as Made
from shared.runtime import timestamps
from tests.builders import (
    WRITER,
    Step,
    accepted,
    assigned,
    contributed,
    received,
    returned,
    told,
)
from tests.chaos.audit.capture import Decision
from tests.chaos.audit.completion import completed
from tests.chaos.gather import decided
from tests.stories import every_step

LONG = "东门外的路灯和路面都坏了，\n晚上“看不见”路，请尽快派人来看一看，谢谢。\t\x01 🚦" * 3
DONE = "路灯已经换新，路面也补好了，请再去看一看，还有问题请再写信来，谢谢您的关心。"
SHORT_FIELDS = {"subject", "area", "by", "refused"}


def field_text(field: str) -> str:
    return field if field in SHORT_FIELDS else f"{field}：{DONE}{LONG}"


STORIES: dict[str, tuple[Step, ...]] = {
    "every step": every_step(field_text, contact=WRITER, public=True, id="6a1f2e0c-58b1-4b0e-9a51-0f4d3b7c9e21"),
    "returned and assigned by hand": (
        received("路灯不亮", LONG),
        returned("lighting", words="不归我们管：" + LONG),
        assigned("roads", "water"),
        contributed("roads", DONE),
        contributed("water", DONE),
    ),
    "refused": (received("路灯不亮", LONG), accepted("water")),
}


def stored(made: Made) -> Decision:
    """The decision as the auditor reads it from the store."""
    document: dict[str, Any] = made.document()
    return decided(document | {"decided_at": timestamps.from_text(made.decided_at)})


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_the_auditor_completes_the_same_messages_as_the_product(steps: tuple[Step, ...]) -> None:
    story = told(*steps)
    expected = [(one.topic, one.id, one.type, one.value) for one in story.messages]
    assert [(one.topic, one.id, one.type, one.value) for one in completed(map(stored, story.decisions))] == expected
    assert any("\x1a" in one for decision in story.decisions for one in decision.document()["messages"])


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_the_auditor_expects_the_headers_that_the_product_writes(steps: tuple[Step, ...]) -> None:
    story = told(*steps)
    for promised, message in zip(completed(map(stored, story.decisions)), story.messages, strict=True):
        headers = {name: (text or b"").decode() for name, text in message.record[2]}
        assert promised.headers.items() <= headers.items()
