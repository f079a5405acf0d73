"""Residents' messages for benchmarks: made from a seed, as long as real ones, on topics of the city's rules."""

import math
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.city import City
from shared.contracts.envelope import Message, Origin
from shared.contracts.fields import Contact
from shared.contracts.ids import CROCKFORD, digest
from shared.contracts.resident_inputs import InquiryReceived
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.kafka import topics
from shared.kafka.publisher import RawRecord
from shared.runtime import timestamps

# In ten thousand real messages the median is 210 characters, the 90th percentile 850, and the data was cut at 1,200.
BODY_MEDIAN, BODY_SPREAD, BODY_LEAST, BODY_MOST = 210, 0.95, 40, 1_200
FIRST_RECEIVED = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
WITHOUT_A_RULE = 0.08
SENTENCES = (
    "您好，我想反映一个情况，希望有关单位能够重视。",
    "这个问题已经持续了好几个月，大家意见很大。",
    "我们多次打电话询问，每次都说会处理，可是一直没有下文。",
    "家里有老人和小孩，实在是受不了。",
    "周围的邻居也都有同样的感受，大家商量以后决定写这封信。",
    "上个月曾经来人看过一次，拍了几张照片就走了。",
    "请问到底应该由谁来负责，什么时候能够解决？",
    "我们不是无理取闹，只是希望得到一个明确的说法。",
    "每到下雨天情况更加严重，出门都要绕很远。",
    "白天还好一些，一到晚上就特别明显。",
    "听说别的地方早就解决了，为什么我们这里迟迟没有动静？",
    "如果需要，我可以提供照片和具体的位置。",
    "希望能有人到现场看一看，听一听大家的意见。",
    "此前得到的答复是正在研究，可是研究了半年也没有结果。",
    "我在这里住了十几年，从来没有遇到过这样的事情。",
    "请领导在百忙之中关心一下普通人的难处。",
    "事情虽小，却关系到几百户人家的日常。",
    "恳请尽快给予答复，不胜感激！",
    "盼望早日得到回音，谢谢。",
)
VAGUE = ("想请教一件事情应该找谁", "关于上次来信的一点补充", "有一个困难希望得到帮助", "一点小小的心愿")


@dataclass(frozen=True, slots=True)
class ResidentMessage:
    """One message: as a request to intake, and as the resulting input."""

    inquiry_id: str
    request: InquiryReceived
    record: RawRecord


def write_messages(city: City, number: int, seed: int, named: Sequence[str] = ()) -> list[ResidentMessage]:
    """This many messages; the same seed makes the same messages. Those for `named` departments name one each in turn."""
    dice = random.Random(seed)
    return [_message(city, at, dice, named) for at in range(number)]


def _message(city: City, at: int, dice: random.Random, named: Sequence[str]) -> ResidentMessage:
    subject, words = _matter(city, dice)
    received_at = FIRST_RECEIVED + timedelta(seconds=at)
    email = f"resident-{at}@mail.example" if dice.random() < 0.3 else None
    request = InquiryReceived(
        inquiry_id="20260316-" + "".join(dice.choices(CROCKFORD, k=8)),
        subject=subject,
        body=_body(words, dice),
        channel=dice.choice(("web", "microblog", "app", "wechat")),
        contact=Contact(name="林听雨", phone="13900000000", email=email) if email else None,
        departments=(named[at % len(named)],) if named else (),
        public=dice.random() < 0.5,
        received_at=received_at,
    )
    return ResidentMessage(request.inquiry_id, request, _record(request, received_at, dice))


def _matter(city: City, dice: random.Random) -> tuple[str, str]:
    """A subject and a sentence about a topic; some match no rule."""
    if dice.random() < WITHOUT_A_RULE:
        return dice.choice(VAGUE), ""
    rule = dice.choice(city.rules)
    chinese = [example for example in rule.examples if not example.isascii()]
    subject = dice.choice(chinese or rule.examples)
    return f"{subject}，希望尽快处理", f"{subject}。"


def _body(words: str, dice: random.Random) -> str:
    length = min(max(int(dice.lognormvariate(math.log(BODY_MEDIAN), BODY_SPREAD)), BODY_LEAST), BODY_MOST)
    text = words
    while len(text) < length:
        text += dice.choice(SENTENCES)
    return text[:length]


def _record(request: InquiryReceived, received_at: datetime, dice: random.Random) -> RawRecord:
    id_, value = str(uuid.UUID(int=dice.getrandbits(128), version=4)), request.model_dump_json().encode()
    at, salt = timestamps.to_text(received_at), digest(id_.encode())
    origin = Origin(INTAKE_SOURCE, request.inquiry_id, at, actor=RESIDENT, salt=salt)
    return Message(topics.INPUTS, request.inquiry_id, id_, InquiryReceived.type, origin, value).record
