"""The residents' messages: made from a seed, on all channels of residents.

Some parts are returned, some departments ask, some residents add words or rate the reply.
"""

import random
from dataclasses import dataclass
from typing import Any, Literal

CHANNELS = ("web", "microblog", "app", "email", "wechat")
"""The channels that need no token."""
OFFICES = ("environment", "urban-management", "market", "housing", "education", "traffic-police", "police", "water")
"""The simulated departments; every topic below, and the desk, assigns some of them."""
MAILED = 0.1
"""The share of residents with an address: sending mails is the slowest effect."""
MATTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("工地夜间施工噪音扰民", "工地每天夜间施工，噪音很大。", ()),
    ("流动摊贩卖过期食品", "学校旁边的流动摊贩卖过期食品。", ("urban-management", "market")),
    ("电梯三天两头坏", "我们楼的电梯三天两头坏。", ()),
    ("校车超载", "校车严重超载。", ()),
    ("河水发黑", "工厂偷排废水，河水发黑。", ()),
    ("井盖松动", "路口的井盖松动，夜里很响。", ("water", "urban-management", "traffic-police")),
    ("想请教一件事", "说不清归谁管，请转给能答复的单位。", ()),
)


Rating = Literal["yes", "mostly", "no"]
RATINGS: tuple[tuple[Rating, ...], ...] = (("yes",), ("mostly",), ("no", "yes"), ("no", "no", "no"))
"""The ratings of the rounds of a message; the third "no" no longer reopens it."""
REOPENINGS_MAX = 2
"""The limit in the policies of the sample city."""


@dataclass(frozen=True)
class ResidentMessage:
    """One message; `returned` and `asks` are the numbers of the parts that are returned and that ask, 0 for none."""

    mark: str
    document: dict[str, Any]
    email: str | None
    public: bool
    returned: int
    ratings: tuple[Rating, ...]
    """The rating of each round; empty when the resident rates nothing."""
    again: bool
    """Whether it is sent again after it was accepted, with the same key."""
    asks: int = 0
    adds: bool = False
    """Whether the resident adds words that nobody has asked for."""

    @property
    def rounds(self) -> int:
        """How many answers it gets: each "no" reopens it, twice at most."""
        return 1 + min(self.ratings.count("no"), REOPENINGS_MAX)


def write_messages(number: int, seed: int) -> list[ResidentMessage]:
    """This many messages; the same seed makes the same messages."""
    dice = random.Random(seed)
    return [_message(f"{seed}-{at}", CHANNELS[at % len(CHANNELS)], dice) for at in range(number)]


def _message(mark: str, channel: str, dice: random.Random) -> ResidentMessage:
    subject, body, departments = dice.choice(MATTERS)
    email = f"resident-{mark}@mail.example" if dice.random() < MAILED else None
    public = dice.random() < 0.5
    document = {"subject": subject, "body": f"{body} (chaos {mark})", "channel": channel, "public": public}
    document |= {"departments": list(departments), "language": dice.choice(("zh", "en"))}
    document |= {"contact": {"name": "林听雨", "email": email}} if email else {}
    return ResidentMessage(
        mark=mark,
        document=document,
        email=email,
        public=public,
        returned=dice.choice((1, 2)) if dice.random() < 0.08 else 0,
        ratings=dice.choice(RATINGS) if dice.random() < 0.25 else (),
        again=dice.random() < 0.05,
        asks=dice.choice((1, 1, 2)) if dice.random() < 0.15 else 0,
        adds=dice.random() < 0.15,
    )
