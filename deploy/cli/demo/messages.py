"""The messages of one demo run, made from stories.yaml; the same seed makes the same messages."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

Way = Literal["form", "api", "file"]
STORIES = Path(__file__).with_name("stories.yaml")
CHANNELS = ("hotline", "window", "microblog", "app", "email", "wechat")
STREETS = {
    "zh": ("桂雨路", "听潮街", "石桥巷", "望帆大道", "青禾路", "灯笼街"),
    "en": ("Osmanthus Road", "Tide Street", "Stone Bridge Lane", "Sail Avenue", "Lantern Street"),
}
ESTATES = {"zh": ("听雨苑", "云帆里", "松风花园", "半山晴"), "en": ("Rain Court", "Cloud Sail Yard", "Pine Garden")}
PEOPLE = {
    "zh": ("林听雨", "陈小满", "周望舒", "何青禾", "许知秋", "方晓舟", "沈千帆"),
    "en": ("Ada Linden", "Noah Brook", "Mira Stone", "Owen Reed", "Lena Frost"),
}


class Story(BaseModel):
    """A template of a message and its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    language: Literal["zh", "en"]
    subject: str
    body: str
    answers: tuple[str, ...]
    area: str | None = None
    desk: tuple[str, ...] = ()
    returned: bool = False
    late: bool = False


@dataclass(frozen=True)
class DemoMessage:
    """One message of this run; its body contains `mark`, by which departments recognise its parts."""

    mark: str
    way: Way
    channel: str
    language: Literal["zh", "en"]
    subject: str
    body: str
    name: str
    email: str | None
    area: str | None
    public: bool
    answers: tuple[str, ...]
    desk: tuple[str, ...]
    returned: bool
    late: bool
    rating: Literal["yes", "mostly", "no"] | None

    def document(self) -> dict[str, Any]:
        """The body of `POST /inquiries`."""
        contact = {"name": self.name} | ({"email": self.email} if self.email else {})
        document = {"subject": self.subject, "body": self.body, "channel": self.channel, "contact": contact}
        return document | {"area": self.area, "public": self.public, "language": self.language}

    def answer(self, index: int) -> str:
        """The text of a department: index 0 is the lead, 1 the first co-handler."""
        if index < len(self.answers):
            return self.answers[index]
        return "We have looked into it and support the lead." if self.language == "en" else "我处已了解情况，配合办理。"


def write_messages(seed: int, run: str) -> list[DemoMessage]:
    """One message for each story; the seed chooses order, names and channels, `run` identifies the run."""
    dice = random.Random(seed)
    stories = [Story.model_validate(one) for one in yaml.safe_load(STORIES.read_text("utf-8"))]
    dice.shuffle(stories)
    ways: Sequence[Way] = ("form", "api", "file", "api")
    return [
        _message(story, "api" if story.late else ways[at % len(ways)], f"{run}-{at + 1}", dice)
        for at, story in enumerate(stories)
    ]


def _message(story: Story, way: Way, mark: str, dice: random.Random) -> DemoMessage:
    names = {
        "street": dice.choice(STREETS[story.language]),
        "estate": dice.choice(ESTATES[story.language]),
        "number": dice.randint(2, 88),
    }
    has_mail = dice.random() < 0.6
    ending = f"(demo {mark})" if story.language == "en" else f"（演示 {mark}）"
    return DemoMessage(
        mark=mark,
        way=way,
        channel={"form": "web", "api": dice.choice(CHANNELS), "file": "import"}[way],
        language=story.language,
        subject=story.subject.format(**names),
        body=f"{story.body.format(**names)}\n{ending}",
        name=dice.choice(PEOPLE[story.language]),
        email=f"resident-{mark}@mail.example" if has_mail else None,
        area=story.area,
        public=dice.random() < 0.7,
        answers=tuple(one.format(**names) for one in story.answers),
        desk=story.desk,
        returned=story.returned,
        late=story.late,
        rating=dice.choice(("yes", "yes", "yes", "mostly", "mostly", "no")) if dice.random() < 0.7 else None,
    )
