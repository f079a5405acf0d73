"""The desk: assigns inquiries in triage to a department without a part, with an idempotency key."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.town.messages import OFFICES
from tests.chaos.town.worker import Worker

AT_ONCE = 6


@dataclass
class Desk(Worker):
    """Operators who check for triage every second."""

    router: str
    token: str
    promised: dict[str, str] = field(default_factory=dict)
    """The inquiry of each accepted command, by the returned event id."""
    oddities: list[str] = field(default_factory=list)
    _done: set[str] = field(default_factory=set)

    def _work(self) -> None:
        with httpx.Client(base_url=self.router, timeout=10, headers={"Authorization": f"Bearer {self.token}"}) as http:
            while not self._ended.wait(1.0):
                try:
                    self._look(http)
                except httpx.TransportError:
                    continue

    def _look(self, http: httpx.Client) -> None:
        answer = http.get("/cases", params={"state": "triage", "limit": 200})
        if answer.status_code != 200:
            self._note(answer)
            return
        with ThreadPoolExecutor(AT_ONCE) as clerks:
            for done in [clerks.submit(self._look_at, http, row["inquiry_id"]) for row in answer.json()["cases"]]:
                done.result()

    def _look_at(self, http: httpx.Client, inquiry_id: str) -> None:
        case = http.get(f"/cases/{inquiry_id}")
        if case.status_code == 200 and case.json()["state"] == "triage":
            self._assign(http, case.json())

    def _assign(self, http: httpx.Client, case: dict[str, Any]) -> None:
        """The same case with the same parts gets the same command under the same key."""
        have = {part["department"] for part in case["parts"]}
        key = f"{case['inquiry_id']}/{len(case['parts'])}"
        if key in self._done:
            return
        lead = random.Random(key).choice([code for code in OFFICES if code not in have])
        answer = http.post(
            f"/cases/{case['inquiry_id']}/commands",
            json={"type": "assign", "lead": lead},
            headers={"Idempotency-Key": key},
        )
        if answer.status_code == 202:
            self._done.add(key)
            self.promised[answer.json()["event_id"]] = case["inquiry_id"]
        else:
            self._note(answer)

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code not in (409, 429, 503):
            self.oddities.append(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
            )
