"""Residents: each writes until the message is accepted, under one key; some rate the answer."""

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.town.letters import Letter

PATIENCE_S = 180.0
PAUSE_S = 0.25
COME_BACK = (409, 429, 503)


@dataclass
class Sent:
    """A letter and what came of it."""

    letter: Letter
    receipts: list[dict[str, Any]] = field(default_factory=list)
    rated: bool = False

    @property
    def inquiry_ids(self) -> tuple[str, ...]:
        """Every number that intake gave for it."""
        return tuple(dict.fromkeys(one["inquiry_id"] for one in self.receipts))


@dataclass
class Residents:
    """A few threads in which they write; `oddities` holds answers that nobody should get."""

    doors: list[str]
    """Where intake answers: always the first one, at times a second."""
    sent: dict[str, Sent] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)
    """Of each rating that was taken the inquiry, by the id that was promised."""
    oddities: list[str] = field(default_factory=list)
    _errands: queue.Queue[tuple[str, Sent] | None] = field(default_factory=queue.Queue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, at_once: int = 6) -> None:
        """Start the threads."""
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def write(self, letter: Letter) -> None:
        """Somebody writes this letter as soon as a hand is free."""
        sent = self.sent[letter.mark] = Sent(letter)
        self._errands.put(("write", sent))

    def rate(self, mark: str) -> None:
        """Its writer reads the answer and, if so inclined, rates it."""
        sent = self.sent.get(mark)
        if sent is not None and sent.letter.rating and sent.receipts and not sent.rated:
            self._errands.put(("rate", sent))

    def finish(self) -> None:
        """Wait until all errands are done."""
        for _ in self._threads:
            self._errands.put(None)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    @property
    def accepted(self) -> int:
        """How many letters have a number."""
        return sum(bool(one.receipts) for one in list(self.sent.values()))

    def _run(self) -> None:
        with httpx.Client(timeout=10) as http:
            while (errand := self._errands.get()) is not None:
                kind, sent = errand
                if kind == "rate":
                    self._rate(http, sent)
                    continue
                for _ in range(2 if sent.letter.again else 1):
                    self._write(http, sent)

    def _write(self, http: httpx.Client, sent: Sent) -> None:
        receipt = self._insist(
            http, "/inquiries", sent.letter.document, {"Idempotency-Key": f"chaos-{sent.letter.mark}"}, COME_BACK
        )
        if receipt is not None:
            sent.receipts.append(receipt)

    def _rate(self, http: httpx.Client, sent: Sent) -> None:
        receipt, rating = sent.receipts[0], sent.letter.rating
        document = {"round": 1, "solved": rating != "no", "satisfied": rating}
        way = f"/inquiries/{receipt['inquiry_id']}/rating"
        taken = self._insist(http, way, document, {"X-Query-Code": receipt["query_code"]}, COME_BACK)
        if taken is not None:
            self.promised[taken["event_id"]] = receipt["inquiry_id"]
            sent.rated = True

    def _insist(
        self, http: httpx.Client, way: str, document: dict[str, Any], headers: dict[str, str], again: tuple[int, ...]
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
            if answer.status_code not in again:
                self.oddities.append(f"POST {way} was answered {answer.status_code}: {answer.text[:300]}")
                if answer.status_code < 500:
                    return None
            time.sleep(PAUSE_S)
        self.oddities.append(f"POST {way} was not accepted within {PATIENCE_S:.0f} s: {document}")
        return None
