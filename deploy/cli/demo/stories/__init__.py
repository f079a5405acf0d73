"""The stories of `chorus demo --full`, one file for each. To add one, write its file and name it here."""

from collections.abc import Sequence

from deploy.cli.demo.stage import FullStory
from deploy.cli.demo.stories import (
    channels,
    delegation,
    files,
    joint_reply,
    privacy,
    questions,
    release,
    reopening,
    returns,
    text_modules,
    timers,
    users,
)

FULL_STORIES: Sequence[FullStory] = (
    joint_reply.STORY,
    returns.STORY,
    delegation.STORY,
    timers.STORY,
    questions.STORY,
    files.STORY,
    release.STORY,
    reopening.STORY,
    privacy.STORY,
    channels.STORY,
    users.STORY,
    text_modules.STORY,
)
