"""The sender of an input: a department, identified by its outbox, or another actor without an inbox."""

import pytest

from services.router.core.input_decoder import read_input
from tests.builders import Story, accepted, assigned, input_record, rated, received, told


@pytest.mark.parametrize(
    ("story", "sender"),
    [
        (told(received("路灯")), None),
        (told(received("路灯"), accepted("lighting")), "lighting"),
        (told(received("路灯"), rated()), None),
        (told(received("没有规则"), assigned("water")), None),
    ],
)
def test_only_departments_get_message_refused_in_an_inbox(story: Story, sender: str | None) -> None:
    assert read_input(input_record(story.inputs[-1])).department == sender
