"""The texts of the stories of `chorus demo --full`: what residents, departments and staff write, in `stories/texts.yaml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

TEXTS = Path(__file__).parent / "stories" / "texts.yaml"


class StoryMessage(BaseModel):
    """A message of a resident."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    subject: str
    body: str
    language: Literal["zh", "en"] = "zh"


class StoryTexts(BaseModel):
    """The texts of one story, by the names under which it uses them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    messages: Mapping[str, StoryMessage]
    words: Mapping[str, str]


@cache
def story_texts() -> Mapping[int, StoryTexts]:
    """The texts by the number of the story."""
    found = yaml.safe_load(TEXTS.read_text("utf-8"))
    return {number: StoryTexts.model_validate(texts) for number, texts in found.items()}
