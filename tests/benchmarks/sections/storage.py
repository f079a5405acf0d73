"""Storage for a case: BSON bytes of four inputs, from the message to the rating."""

import csv
import gzip
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import bson
import httpx
from pymongo import MongoClient

from shared.city import City
from shared.contracts.envelope import PREFIX, Header
from shared.kafka import topics
from shared.kafka.publisher import RawRecord
from tests.benchmarks.contest import REPOSITORY
from tests.benchmarks.figures import number, table
from tests.benchmarks.place import Place
from tests.benchmarks.sections import Bench, Section
from tests.benchmarks.served import intake_and_router, listening, mail_sink

REAL = REPOSITORY.parent / "shared" / "data" / "replies_dev.csv.gz"
CASES, QUICK_CASES = 150, 30
DEPARTMENT = "urban-management"
INPUTS = 4
STORED = {
    "decisions": ("chorus_router", "decisions"),
    "cases": ("chorus_router", "cases"),
    "ledger": ("chorus_intake", "ledger"),
    "tickets": ("chorus_intake", "tickets"),
    "scorer": ("chorus_scorer", "events"),
    "deliveries": ("chorus_notifier", "deliveries"),
    "hall": ("chorus_notifier", "hall"),
}
MESSAGES = ("messages", "picture")
"""The fields of a decision that the cleanup drops."""
LIMIT_S, LOOK_EVERY_S = 120.0, 0.2
Document = dict[str, Any]
Store = MongoClient[Document]
Sizes = dict[str, Counter[str]]
"""Bytes of BSON by figure and inquiry."""


@dataclass(frozen=True)
class Exchange:
    """A resident's message, the department's reply, and the resident's mail address, if any."""

    subject: str
    body: str
    reply: str
    email: str | None = None

    @property
    def request(self) -> Document:
        """The request to intake."""
        contact = {"contact": {"email": self.email}} if self.email else {}
        return {"subject": self.subject, "body": self.body, "departments": [DEPARTMENT], "public": True} | contact


def measure(bench: Bench) -> Section:
    """Real messages with their replies, each from a resident without a mail address and from one with."""
    if not REAL.exists():
        why = f"there are no real messages at {REAL.relative_to(REPOSITORY.parent)} beside the repository"
        return Section(figures={"not_measured": why}, sentences=[f"Not measured: storage: {why}."])
    without = read_exchanges(REAL, QUICK_CASES if bench.quick else CASES)
    addressed = [replace(one, email=f"resident-{at}@mail.example") for at, one in enumerate(without)]
    bench.fresh()
    inquiries, sizes = stored(bench.place, bench.city, [*without, *addressed])
    bench.say(f"storage: {len(inquiries)} cases are stored")
    found = [medians(sizes, inquiries[: len(without)]), medians(sizes, inquiries[len(without) :])]
    rows = [(name.replace("_bytes", "").replace("_", " "), *(number(one[name]) for one in found)) for name in found[0]]
    return Section(
        figures={"cases": len(without), **found[0], "with_address": found[1]},
        tables=[table("Bytes of a case at rest, median", ("", "without an address", "with one"), rows)],
        sentences=[
            f"A case is {INPUTS} inputs: received, accepted, contributed, rated; median of {len(without)} of each."
        ],
    )


def medians(sizes: Sizes, inquiries: Sequence[str]) -> dict[str, float]:
    """The median over these inquiries for each figure; a missing figure counts as 0."""
    return {name: median(of[one] for one in inquiries) for name, of in sizes.items()}


def read_exchanges(file: Path, most: int) -> list[Exchange]:
    """The first rows."""
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as rows:
        read = itertools.islice(csv.DictReader(rows), most)
        return [Exchange(row["subject"], row["body"], row["reply"]) for row in read]


def stored(place: Place, city: City, exchanges: Sequence[Exchange]) -> tuple[list[str], Sizes]:
    """Process them with the services; returns the inquiries in order, and the bytes of each."""
    with ExitStack() as ends:
        store: Store = ends.enter_context(MongoClient(place.mongodb))
        smtp = ends.enter_context(mail_sink(place))
        intake = ends.enter_context(intake_and_router(place, city))
        for name in ("notifier", "scorer"):
            ends.enter_context(listening(place, f"services.{name}", CHORUS_SMTP=smtp))
        url = f"http://{intake.host}:{intake.port}"
        http = ends.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))
        receipts = [_sent(http, one) for one in exchanges]
        decisions = store["chorus_router"]["decisions"]
        _wait(lambda: decisions.count_documents({"n": 1}) == len(receipts), "a decision on each message")
        parts = [f"{receipt['inquiry_id']}-p1" for receipt in receipts]
        place.broker.write(itertools.chain.from_iterable(map(_answer, parts, [one.reply for one in exchanges])))
        for receipt in receipts:
            _wait(partial(_rated, http, receipt), f"an answer to {receipt['inquiry_id']}")
        _wait(lambda: _at_rest(store, len(receipts)), "everything in its store")
        return [one["inquiry_id"] for one in receipts], weighed(store)


def _sent(http: httpx.Client, one: Exchange) -> Mapping[str, str]:
    receipt: Mapping[str, str] = http.post("/inquiries", json=one.request).raise_for_status().json()
    return receipt


def _answer(part_id: str, text: str) -> Iterator[tuple[str, RawRecord]]:
    """The department accepts its part and contributes."""
    said: list[tuple[str, Document]] = [("part.accepted", {}), ("part.contributed", {"text": text})]
    for kind, fields in said:
        value = json.dumps({"part_id": part_id} | fields, ensure_ascii=False).encode()
        headers: list[Header] = [("ce_type", f"{PREFIX}{kind}".encode()), ("ce_id", str(uuid4()).encode())]
        yield topics.outbox(DEPARTMENT), (part_id.encode(), value, headers)


def _rated(http: httpx.Client, receipt: Mapping[str, str]) -> bool:
    """Whether the rating was accepted; it is rejected before the reply."""
    answer = http.post(
        f"/inquiries/{receipt['inquiry_id']}/rating",
        json={"round": 1, "solved": True, "satisfied": "yes"},
        headers={"X-Query-Code": receipt["query_code"]},
    )
    return answer.status_code == httpx.codes.ACCEPTED


def _at_rest(store: Store, cases: int) -> bool:
    """Whether all effects of the decisions are stored, and every mail is sent."""
    decisions = list(store["chorus_router"]["decisions"].find({}, ("facts", "messages")))
    told = sum(message.startswith(f"{topics.RESIDENTS} ") for one in decisions for message in one["messages"])
    wanted = {
        ("chorus_router", "decisions"): INPUTS * cases,
        ("chorus_router", "cases"): cases,
        ("chorus_intake", "tickets"): told,
        ("chorus_scorer", "events"): sum(len(one["facts"]) for one in decisions),
        ("chorus_notifier", "hall"): cases,
    }
    waiting = store["chorus_notifier"]["deliveries"].count_documents({"due_at": {"$exists": True}})
    return not waiting and all(
        store[database][name].count_documents({}) == count for (database, name), count in wanted.items()
    )


def weighed(store: Store) -> Sizes:
    """The size of every document in the stores."""
    sizes: Sizes = {}
    for name, (database, collection) in STORED.items():
        documents = list(store[database][collection].find({}))
        sizes[f"{name}_bytes"] = _by_inquiry(documents)
        if name == "decisions":
            kept = [{key: value for key, value in one.items() if key not in MESSAGES} for one in documents]
            sizes["decisions_bytes_without_messages"] = _by_inquiry(kept)
    return sizes


def _by_inquiry(documents: Iterable[Document]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for one in documents:
        sizes[str(one.get("inquiry_id", one["_id"]))] += len(bson.encode(one))
    return sizes


def _wait(done: Callable[[], bool], what: str) -> None:
    """Raises RuntimeError after the time limit."""
    until = time.monotonic() + LIMIT_S
    while not done():
        if time.monotonic() > until:
            raise RuntimeError(f"There was not {what} within {LIMIT_S:g} s.")
        time.sleep(LOOK_EVERY_S)
