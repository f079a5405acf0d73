"""Residents: each retries with one key until the message is accepted; some add words, answer questions, rate the reply."""

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.town.messages import ResidentMessage

PATIENCE_S = 180.0
PAUSE_S = 0.25
COME_BACK = (409, 429, 503)
WRITE, ANSWER = 0, -1
"""An errand that is the message itself, or the answer to a question; any other number is the round to rate."""


@dataclass
class Sent:
    """A message and its results."""

    message: ResidentMessage
    receipts: list[dict[str, Any]] = field(default_factory=list)
    asked: bool = False
    """Whether a department asks, perhaps before the resident knows the ticket number."""
    answered: bool = False
    """Whether the question has its answer."""
    rated: set[int] = field(default_factory=set)
    """The rounds whose rating was accepted."""

    @property
    def complete(self) -> bool:
        """Whether every round is rated that its resident rates."""
        return len(self.rated) == len(self.message.ratings)

    @property
    def inquiry_ids(self) -> tuple[str, ...]:
        """Every ticket number for it."""
        return tuple(dict.fromkeys(one["inquiry_id"] for one in self.receipts))


@dataclass
class Residents:
    """Threads that write; `oddities` has unexpected responses."""

    doors: list[str]
    """The URLs of intake: the first process, at times a second one."""
    sent: dict[str, Sent] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)
    """The inquiry of each accepted rating and addition, by the returned event id."""
    additions: dict[str, str] = field(default_factory=dict)
    """The text of each accepted addition, by the returned event id."""
    oddities: list[str] = field(default_factory=list)
    _errands: queue.Queue[tuple[int, Sent] | None] = field(default_factory=queue.Queue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, at_once: int = 6) -> None:
        """Start the threads."""
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def write(self, message: ResidentMessage) -> None:
        """Queue this message for the next free thread."""
        sent = self.sent[message.mark] = Sent(message)
        self._errands.put((WRITE, sent))

    def rate(self, mark: str, round_: int) -> None:
        """Read the reply of this round, and rate it if the message has a rating for it."""
        sent = self.sent.get(mark)
        if sent is not None and round_ <= len(sent.message.ratings) and sent.receipts and round_ not in sent.rated:
            self._errands.put((round_, sent))

    def answer(self, mark: str) -> None:
        """Answer the question of a department, as soon as the resident has the ticket."""
        sent = self.sent.get(mark)
        if sent is not None and not sent.asked:
            sent.asked = True
            self._errands.put((ANSWER, sent))

    def finish(self) -> None:
        """Wait until the queue is empty."""
        for _ in self._threads:
            self._errands.put(None)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    @property
    def accepted(self) -> int:
        """The number of messages with a ticket."""
        return sum(bool(one.receipts) for one in list(self.sent.values()))

    def _run(self) -> None:
        with httpx.Client(timeout=10) as http:
            while (errand := self._errands.get()) is not None:
                kind, sent = errand
                if kind == ANSWER:
                    self._answer(http, sent)
                elif kind != WRITE:
                    self._rate(http, sent, kind)
                else:
                    for _ in range(2 if sent.message.again else 1):
                        self._write(http, sent)
                    if sent.message.adds:
                        self._add(http, sent, "补充", ended=True)

    def _write(self, http: httpx.Client, sent: Sent) -> None:
        receipt = self._insist(
            http,
            "/inquiries",
            sent.message.document,
            {"Idempotency-Key": f"chaos-message-{sent.message.mark}"},
            COME_BACK,
        )
        if receipt is not None:
            sent.receipts.append(receipt)

    def _answer(self, http: httpx.Client, sent: Sent) -> None:
        if not sent.receipts:
            # The question came before the ticket number, whose answer was lost: later.
            time.sleep(PAUSE_S)
            self._errands.put((ANSWER, sent))
            return
        sent.answered = self._add(http, sent, "回答")

    def _add(self, http: httpx.Client, sent: Sent, kind: str, ended: bool = False) -> bool:
        """Add words, twice with the same key for some; `ended`: the ticket may take no more words."""
        if not sent.receipts:
            return False
        receipt, document = sent.receipts[0], {"text": f"{kind}（{sent.message.mark}）"}
        way = f"/inquiries/{receipt['inquiry_id']}/additions"
        key = f"chaos-{'addition' if ended else 'answer'}-{sent.message.mark}"
        headers = {"X-Query-Code": receipt["query_code"], "Idempotency-Key": key}
        for _ in range(2 if sent.message.again else 1):
            taken = self._insist(http, way, document, headers, (429, 503), ends=(409,) if ended else ())
            if taken is None:
                return False
            self.promised[taken["event_id"]] = receipt["inquiry_id"]
            self.additions[taken["event_id"]] = document["text"]
        return True

    def _rate(self, http: httpx.Client, sent: Sent, round_: int) -> None:
        receipt, rating = sent.receipts[0], sent.message.ratings[round_ - 1]
        document: dict[str, Any] = {"round": round_, "solved": rating != "no", "satisfied": rating}
        if rating == "no":
            document["words"] = f"第{round_}次答复后仍未解决（{sent.message.mark}）。"
        way = f"/inquiries/{receipt['inquiry_id']}/rating"
        taken = self._insist(http, way, document, {"X-Query-Code": receipt["query_code"]}, COME_BACK)
        if taken is not None:
            self.promised[taken["event_id"]] = receipt["inquiry_id"]
            sent.rated.add(round_)

    def _insist(
        self,
        http: httpx.Client,
        way: str,
        document: dict[str, Any],
        headers: dict[str, str],
        again: tuple[int, ...],
        ends: tuple[int, ...] = (),
    ) -> dict[str, Any] | None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer = http.post(random.choice(tuple(self.doors)) + way, json=document, headers=headers)
            except httpx.TransportError:
                time.sleep(PAUSE_S)
                continue
            if answer.status_code == 202:
                receipt: dict[str, Any] = answer.json()
                return receipt
            if answer.status_code in ends:
                return None
            if answer.status_code not in again:
                self.oddities.append(f"POST {way} was answered {answer.status_code}: {answer.text[:300]}")
                if answer.status_code < 500:
                    return None
            time.sleep(PAUSE_S)
        self.oddities.append(f"POST {way} was not accepted within {PATIENCE_S:.0f} s: {document}")
        return None
