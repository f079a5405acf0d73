"""The stories of `chorus demo --full`, one file for each. To add one, write its file and name it here."""

from collections.abc import Sequence

from deploy.cli.demo.stage import FullStory
from deploy.cli.demo.stories import (
    delegation,
    joint_reply,
    privacy,
    questions,
    release,
    reopening,
    returns,
    timers,
    users,
)

FULL_STORIES: Sequence[FullStory] = (
    joint_reply.STORY,
    returns.STORY,
    delegation.STORY,
    timers.STORY,
    questions.STORY,
    release.STORY,
    reopening.STORY,
    privacy.STORY,
    users.STORY,
)
