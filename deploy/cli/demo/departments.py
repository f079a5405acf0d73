"""The demo's departments: each reads its own inbox topic and writes its own outbox topic."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.cli.demo.account import DemoCase, DemoPart
from deploy.cli.demo.overdue import LATE_S, SHORT
from deploy.cli.demo.topic_end import start_at_end
from shared.contracts.department_inbox import PartOffered
from shared.contracts.department_outbox import PartAccepted, PartContributed, PartReplied, PartReturned
from shared.kafka.connection import Connection
from shared.kafka.topics import inbox, outbox

Step = tuple[float, str, dict[str, Any]]
SHORTEST_S, LONGEST_S = 0.1, 0.8
AGAIN = {"zh": "接到您的评价后已再次办理。", "en": "We have worked on it again after your rating. "}
INTERIM = {"zh": "已派人到现场查看，明天下午给您准信。", "en": "Somebody is on the way; you will know more tomorrow."}


@dataclass
class Offices:
    """All departments of the city; they answer the messages of this run and ignore all others."""

    kafka: Callable[[str], Connection]
    run: str
    cases: Mapping[str, DemoCase]
    tell: Callable[[str, DemoCase, str], None]
    dice: random.Random
    _consumers: dict[str, AIOKafkaConsumer] = field(default_factory=dict)
    _producers: dict[str, AIOKafkaProducer] = field(default_factory=dict)
    _working: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, codes: Iterable[str]) -> None:
        """Join every inbox at its current end, each with its own consumer group."""
        for code in codes:
            client = self.kafka(code)
            self._consumers[code] = self._consumer(code, client)
            self._producers[code] = AIOKafkaProducer(**client.aiokafka(), acks="all", enable_idempotence=True)
        starts = [producer.start() for producer in self._producers.values()]
        await asyncio.gather(*starts, *map(start_at_end, self._consumers.values()))

    async def work(self) -> None:
        """Read all inboxes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for code, consumer in self._consumers.items():
                group.create_task(self._read(code, consumer))

    async def close(self) -> None:
        """Cancel the running answers and close all clients."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        clients = (*self._consumers.values(), *self._producers.values())
        await asyncio.gather(*(client.stop() for client in clients), return_exceptions=True)

    def _consumer(self, code: str, client: Connection) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            inbox(code),
            **client.consumer(),
            group_id=f"departments.{code}.demo-{self.run}",
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )

    async def _read(self, code: str, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
            if headers.get("ce_type") == PartOffered.type:
                self._offered(code, headers.get("ce_id", ""), json.loads(record.value))
            await consumer.commit()

    def _offered(self, code: str, id_: str, offer: dict[str, Any]) -> None:
        case = self.cases.get(mark_in(offer["body"]))
        if case is None:
            return
        part = case.parts.setdefault(offer["part_id"], DemoPart(offer["part_id"], code, round=offer.get("round", 1)))
        known = bool(part.offers)
        part.offers.add(id_)
        if not known:
            task = asyncio.create_task(self._play(case, part, plan(case, part, offer, self.dice), offer["inquiry_id"]))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _play(self, case: DemoCase, part: DemoPart, steps: Iterable[Step], inquiry_id: str) -> None:
        for pause_s, kind, data in steps:
            await asyncio.sleep(pause_s)
            await self._write(part, kind, data, inquiry_id)
            self.tell(part.department, case, phrase(kind, data))
            if kind == PartContributed.type and data.get("final", True):
                part.text = data["text"]
            part.returned = part.returned or kind == PartReturned.type

    async def _write(self, part: DemoPart, kind: str, data: dict[str, Any], inquiry_id: str) -> None:
        """Publish with an id derived from the content, so that sending it again is a repeat."""
        value = json.dumps({"part_id": part.part_id, "by": "demo", **data}, ensure_ascii=False).encode()
        headers = {
            "ce_id": str(uuid5(NAMESPACE_URL, f"{part.part_id}/{kind}/{data.get('final')}")),
            "ce_type": kind,
            "ce_specversion": "1.0",
            "ce_source": f"departments/{part.department}",
            "content-type": "application/json",
        }
        topic, key = outbox(part.department), inquiry_id.encode()
        producer = self._producers[part.department]
        await producer.send_and_wait(topic, value, key, headers=[(k, v.encode()) for k, v in headers.items()])


def mark_in(body: str) -> str:
    """The mark at the end of a message's body; "" if it has none."""
    last = body.rstrip(")） \n").rsplit(None, 1)
    return last[-1] if last else ""


def plan(case: DemoCase, part: DemoPart, offer: Mapping[str, Any], dice: random.Random) -> list[Step]:
    """The steps of a department for a part, each with the pause before it."""
    message = case.message
    if message.returned and len(case.parts) == 1:
        words = "This is not ours." if message.language == "en" else "经核实，此处不属我局养护范围。"
        back = {"reason": "not-ours", "words": words, "suggest": message.desk[0]}
        return [(_pause(dice), PartReturned.type, back)]
    index = 0 if offer["role"] == "lead" else 1 + offer["co_handlers"].index(part.department)
    answer = (AGAIN[message.language] if part.round > 1 else "") + message.answer(index)
    if message.late and offer["policy_id"] == SHORT["id"]:
        contribution = {"text": answer, "final": True}
        return [(LATE_S, PartAccepted.type, {}), (_pause(dice), PartContributed.type, contribution)]
    steps: list[Step] = []
    if dice.random() < 0.8:
        steps.append((_pause(dice), PartAccepted.type, {}))
    if dice.random() < 0.3:
        steps.append((_pause(dice), PartReplied.type, {"text": INTERIM[message.language]}))
    if dice.random() < 0.15:
        steps.append((_pause(dice), PartContributed.type, {"text": answer[: len(answer) // 2], "final": False}))
    return [*steps, (_pause(dice), PartContributed.type, {"text": answer, "final": True})]


def phrase(kind: str, data: Mapping[str, Any]) -> str:
    if kind == PartContributed.type:
        return "contributes" if data.get("final", True) else "sends a draft"
    return {
        PartAccepted.type: "accepts",
        PartReplied.type: "sends interim reply",
        PartReturned.type: "returns its part",
    }[kind]


def _pause(dice: random.Random) -> float:
    return dice.uniform(SHORTEST_S, LONGEST_S)
