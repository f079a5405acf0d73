"""Captures the data of a run: topics, stores, the mail folder, the hall's feed, tickets, scoreboards."""

import email
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from sys import intern
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import yaml
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from pymongo import MongoClient

from tests.chaos.audit.capture import EVENTS, HEADERS, Accepted, Capture, Decision, Mail, Record

READ = ("inquiries.", "residents.", "departments.")
ANSWERS_WITHIN_S = 20
TICKETS_AT_ONCE = 8
LEDGERS = (("chorus_intake", "ledger"), ("chorus_router", "commands"))


def gather(
    accepted: Iterable[tuple[Accepted, Mapping[str, str]]],
    promised: Mapping[str, str],
    kafka: str,
    mongodb: str,
    mail: Path,
    urls: Mapping[str, str],
    city: Path,
) -> Capture:
    """Capture everything now, with the codes of all tickets."""
    told = list(accepted)
    records = read_topics(kafka)
    with MongoClient[dict[str, Any]](mongodb, tz_aware=True) as store, httpx.Client(timeout=30) as http:
        return Capture(
            accepted=[one for one, _ in told],
            records=records,
            decisions=[decided(one) for one in store["chorus_router"]["decisions"].find({})],
            ledger={
                one["_id"]: one["inquiry_id"]
                for database, entries in LEDGERS
                for one in store[database][entries].find({}, {"inquiry_id": 1})
            },
            unpublished=_unpublished(store),
            scored=list(store["chorus_scorer"]["events"].find({}, ("inquiry_id", "sequence", "type"))),
            mails=read_mails(mail),
            hall=read_hall(http, urls["notifier"]),
            tickets=read_tickets(http, urls["intake"], {id_: code for _, codes in told for id_, code in codes.items()}),
            boards=[
                http.get(f"{urls['scorer']}/scoreboard", params={"period": month, "format": "json"}).json()
                for month in months(records, city)
            ],
            promised=promised,
            addresses=addresses(city),
            areas=areas(city),
        )


def read_topics(kafka: str) -> list[Record]:
    """Every record of every topic, except the city's."""
    settings = {"bootstrap.servers": kafka, "group.id": f"audit-{uuid4()}", "enable.auto.commit": False}
    consumer = Consumer(settings | {"log_level": 0, "enable.partition.eof": True})
    try:
        known = consumer.list_topics(timeout=ANSWERS_WITHIN_S).topics
        names = [name for name in known if name.startswith(READ) or name.endswith(".dead-letters")]
        ends = {
            (name, p): consumer.get_watermark_offsets(TopicPartition(name, p), timeout=ANSWERS_WITHIN_S)
            for name in names
            for p in known[name].partitions
        }
        left = {place for place, (low, high) in ends.items() if low < high}
        consumer.assign([TopicPartition(name, p, OFFSET_BEGINNING) for name, p in left])
        return sorted(_read(consumer, left), key=lambda one: (one.topic, one.partition, one.offset))
    except KafkaException as error:
        raise RuntimeError(f"The broker {kafka} did not tell what it has: {error}") from error
    finally:
        consumer.close()


def _read(consumer: Consumer, left: set[tuple[str, int]]) -> list[Record]:
    """Everything up to the ends of these partitions; raises an error that names an unread partition."""
    records: list[Record] = []
    last = time.monotonic()
    while left:
        for message in consumer.consume(500, 0.1):  # waits this long for a full batch
            last = time.monotonic()
            error = message.error()
            if error is None:
                records.append(_record(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard((message.topic(), message.partition()))
        if time.monotonic() > last + ANSWERS_WITHIN_S:
            raise RuntimeError(f"Nothing came for {ANSWERS_WITHIN_S} s from {sorted(left)[:5]}.")
    return records


def _record(message: Any) -> Record:
    given = {name: value for name, value in message.headers() or [] if name in HEADERS and value is not None}
    headers = {name: intern(value.decode(errors="replace")) for name, value in given.items()}
    key = intern((message.key() or b"").decode(errors="replace"))
    return Record(intern(message.topic()), message.partition(), message.offset(), key, headers, message.value() or b"")


def _unpublished(store: MongoClient[dict[str, Any]]) -> list[str]:
    """The inquiries that the notes of both ledgers name, by their entries."""
    left: list[str] = []
    for database, entries in LEDGERS:
        for note in store[database]["unpublished"].find({}):
            found = list(store[database][entries].find({"_id": {"$in": note["entries"]}}, {"inquiry_id": 1}))
            left += [one["inquiry_id"] for one in found]
    return left


def read_mails(folder: Path) -> list[Mail]:
    """Every event in every mail of the SMTP server: a digest contains several."""
    mails = [email.message_from_bytes(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]
    return [Mail(str(event), str(one["To"])) for one in mails for event in one.get_all("X-Chorus-Event", [])]


def read_hall(http: httpx.Client, notifier: str) -> list[str]:
    """The numbers in the hall's feed, page by page."""
    shown: list[str] = []
    page: str | None = f"{notifier}/hall/feed.json"
    while page:
        feed = http.get(page).json()
        shown += [item["id"] for item in feed["items"]]
        page = feed.get("next_url")
    return shown


def decided(stored: Mapping[str, Any]) -> Decision:
    """A stored decision; missing fields of an erased one are empty."""
    cause, at = stored["cause"], stored["at"]
    return Decision(
        inquiry_id=intern(stored["inquiry_id"]),
        n=stored["n"],
        cause=cause if isinstance(cause, str) else str(UUID(bytes=cause)),
        type=intern(stored["type"]),
        at=(at["partition"], at["offset"]),
        actor=intern(stored["actor"]),
        salt=intern((stored.get("salt") or b"").hex()),
        decided_at=stored["decided_at"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        facts=stored["facts"],
        head=stored["head"].hex(),
        words=stored.get("words", {}),
        messages=stored.get("messages", ()),
        picture=stored.get("picture", ""),
        refusal=stored.get("refusal", ""),
    )


def read_tickets(http: httpx.Client, intake: str, codes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Each ticket as its resident sees it."""

    def ticket(of: tuple[str, str]) -> dict[str, Any]:
        answer = http.get(f"{intake}/inquiries/{of[0]}", headers={"X-Query-Code": of[1]})
        seen: dict[str, Any] = answer.json()
        return seen

    with ThreadPoolExecutor(TICKETS_AT_ONCE) as looking:
        return dict(zip(codes, looking.map(ticket, codes.items()), strict=True))


def still_to_do(mongodb: str) -> int:
    """The number of deliveries that are neither sent nor failed, and of replies that wait for masking."""
    with MongoClient[dict[str, Any]](mongodb, serverSelectionTimeoutMS=5_000) as store:
        notifier = store["chorus_notifier"]
        return sum(
            notifier[name].count_documents({"due_at": {"$exists": True}})
            for name in ("deliveries", "threads", "unmasked")
        )


def addresses(city: Path) -> dict[str, str]:
    """The address of each department in the city folder."""
    return {one["code"]: one["email"] for one in _departments(city) if one.get("email")}


def areas(city: Path) -> frozenset[str]:
    """Every area in the city folder."""
    return frozenset(area for one in _departments(city) for area in one.get("areas", ()))


def _departments(city: Path) -> list[dict[str, Any]]:
    departments: list[dict[str, Any]] = yaml.safe_load((city / "departments.yaml").read_text("utf-8"))
    return departments


def months(records: Iterable[Record], city: Path) -> list[str]:
    """The months, in the city's time zone, with recorded events."""
    zone = ZoneInfo(yaml.safe_load((city / "city.yaml").read_text("utf-8"))["time_zone"])
    times = {one.headers["ce_recordedtime"] for one in records if one.topic == EVENTS}
    return sorted({datetime.fromisoformat(one).astimezone(zone).strftime("%Y-%m") for one in times})
