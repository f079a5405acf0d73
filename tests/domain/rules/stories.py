"""Steps with which several stories begin."""

from tests.builders import (
    Story,
    received,
)

BOTH = received("路灯和路面都坏了")


def states(story: Story) -> dict[str, str]:
    return {part.department: part.state for part in story.case.parts.values()}
