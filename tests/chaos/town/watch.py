"""Reads resident messages to show progress, to answer questions and to start ratings."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.chaos.audit.capture import RESIDENTS
from tests.chaos.town.worker import Worker

MARK = re.compile(r"\(chaos ([0-9-]+)\)")
QUESTION = re.compile(r"请问具体位置（([0-9-]+)/\d+）")


@dataclass
class Watch(Worker):
    """The answers by inquiry and round; calls `answered` with the mark and the round of each, `asked` with each question's."""

    kafka: str
    answered: Callable[[str, int], None]
    asked: Callable[[str], None]
    seen: set[tuple[str, int]] = field(default_factory=set)

    def _work(self) -> None:
        settings = {"bootstrap.servers": self.kafka, "group.id": f"watch-{uuid4()}", "enable.auto.commit": False}
        consumer = Consumer(settings | {"log_level": 0, "reconnect.backoff.max.ms": 1000})
        partitions = consumer.list_topics(RESIDENTS, timeout=20).topics[RESIDENTS].partitions
        consumer.assign([TopicPartition(RESIDENTS, one, OFFSET_BEGINNING) for one in partitions])
        while not self._ended.is_set():
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            told = json.loads(message.value() or b"{}")
            if told.get("what") == "asked" and (question := QUESTION.search(told["text"])) is not None:
                self.asked(question[1])
            if told.get("what") != "answered":
                continue
            answer = told["inquiry_id"], told["case"]["round"]
            if answer not in self.seen:
                self.seen.add(answer)
                if (mark := MARK.search(told["case"].get("body") or "")) is not None:
                    self.answered(mark[1], answer[1])
        consumer.close()
