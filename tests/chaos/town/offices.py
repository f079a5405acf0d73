"""Departments: each reads its inbox and writes its outbox, with ids derived from the part."""

import heapq
import itertools
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from confluent_kafka import Consumer, Producer

from tests.chaos.town.messages import ResidentMessage
from tests.chaos.town.worker import Worker

MARK = re.compile(r"\(chaos ([0-9-]+)\)")
COMMIT_EVERY_S = 3.0
Step = tuple[float, str, dict[str, Any]]


def steps(written: ResidentMessage, code: str, part_id: str) -> list[Step]:
    """The steps of a department for a part, with their durations; they depend on the message only."""
    number = part_id.rpartition("-p")[2]
    dice = random.Random(f"{written.mark}/{number}")

    def pause() -> float:
        return dice.uniform(0.05, 2.5)

    if int(number) == written.returned:
        return [(pause(), "part.returned", {"part_id": part_id, "reason": "not-ours", "words": "不属本单位职责。"})]
    done: list[Step] = []
    if int(number) == written.asks:
        # The contribution follows when the resident has answered.
        return [
            (pause(), "part.asked", {"part_id": part_id, "text": f"{code}：请问具体位置（{written.mark}/{number}）？"})
        ]
    if dice.random() < 0.8:
        done.append((pause(), "part.accepted", {"part_id": part_id, "by": "王办事员"}))
    if dice.random() < 0.3:
        done.append((pause(), "part.replied", {"part_id": part_id, "text": f"{code}：正在核实（{written.mark}）。"}))
    if dice.random() < 0.2:
        draft = {"part_id": part_id, "text": f"{code}：草稿（{written.mark}）。", "final": False}
        done.append((pause(), "part.contributed", draft))
    done.append((pause(), "part.contributed", contribution(written, code, part_id)))
    return done


def contribution(written: ResidentMessage, code: str, part_id: str) -> dict[str, Any]:
    """The department's share of the answer."""
    return {"part_id": part_id, "text": f"{code}：已处理（{written.mark}/{part_id.rpartition('-p')[2]}）。"}


@dataclass
class Office(Worker):
    """One department in its own thread."""

    code: str
    kafka: str
    by_mark: dict[str, ResidentMessage]
    offers: int = 0
    written: int = 0
    _by_part: dict[str, ResidentMessage] = field(default_factory=dict)
    _due: list[tuple[float, int, str, dict[str, Any]]] = field(default_factory=list)
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def _work(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka,
                "group.id": f"departments.{self.code}.chaos",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": True,
                "auto.commit.interval.ms": int(COMMIT_EVERY_S * 1000),
                # A restarted broker waits for former members until their session ends; the default is 45 s.
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1000,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        producer = self._producer()
        consumer.subscribe([f"departments.{self.code}.inbox"])
        while not self._ended.is_set():
            message = consumer.poll(0.1)
            if message is not None and not message.error():
                self._take(message)
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, kind, body = heapq.heappop(self._due)
                self._write(producer, kind, body)
            producer.poll(0)
        producer.flush(20)
        consumer.close()

    def _producer(self) -> Producer:
        # Retry without limit: a message that a department never sends is no loss of the system.
        settings = {"bootstrap.servers": self.kafka, "acks": "all", "enable.idempotence": True, "log_level": 0}
        return Producer(settings | {"linger.ms": 5, "message.timeout.ms": 0, "reconnect.backoff.max.ms": 1000})

    def _take(self, message: Any) -> None:
        headers = {name: value.decode(errors="replace") for name, value in message.headers() or [] if value is not None}
        if headers.get("ce_type") == "chorus.part.resumed":
            self._go_on(json.loads(message.value())["part_id"])
        if headers.get("ce_type") != "chorus.part.offered":
            return
        offer = json.loads(message.value())
        found = MARK.search(offer["body"])
        if found is None or found[1] not in self.by_mark:
            return
        self.offers += 1
        self._by_part[offer["part_id"]] = self.by_mark[found[1]]
        at = time.monotonic()
        for pause_s, kind, body in steps(self.by_mark[found[1]], self.code, offer["part_id"]):
            at += pause_s
            heapq.heappush(self._due, (at, next(self._count), kind, body))

    def _go_on(self, part_id: str) -> None:
        """The resident has answered: contribute."""
        if (written := self._by_part.get(part_id)) is not None:
            body = contribution(written, self.code, part_id)
            heapq.heappush(self._due, (time.monotonic(), next(self._count), "part.contributed", body))

    def _write(self, producer: Producer, kind: str, body: dict[str, Any]) -> None:
        """Some messages are sent twice, with the same bytes and id."""
        value = json.dumps(body, ensure_ascii=False)
        id_ = str(uuid5(NAMESPACE_URL, f"{body['part_id']}/{kind}/{body.get('final', True)}"))
        headers = [("ce_type", f"chorus.{kind}".encode()), ("ce_id", id_.encode())]
        for _ in range(2 if int(id_[:4], 16) % 20 == 0 else 1):
            producer.produce(
                f"departments.{self.code}.outbox",
                value=value.encode(),
                key=body["part_id"].rpartition("-p")[0].encode(),
                headers=list(headers),
            )
        self.written += 1
