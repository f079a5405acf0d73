"""What `chorus demo --full` does: it writes as residents, as departments to their Kafka outboxes, and as staff at the desk."""

import asyncio
import json
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from deploy.cli.console import problem
from deploy.cli.demo.expectations import NotAsExpected, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.local.stack_file import Urls
from shared.kafka.connection import Connection
from shared.kafka.topics import outbox

OPERATOR = "operator"
SMTP_S = 30.0


@dataclass
class Staff:
    """The users of this run at the desk. Each is made when a story first needs it, and all are disabled at the end."""

    desk: httpx.AsyncClient
    operator: Mapping[str, str]
    run: str
    _tokens: dict[tuple[str, str | None], asyncio.Task[str]] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    def name(self, role: str, department: str | None = None) -> str:
        return "-".join(("demo", self.run, role, *((department,) if department else ())))

    async def token(self, role: str, department: str | None = None) -> Mapping[str, str]:
        """The header of the user of this run with this role."""
        if role == OPERATOR:
            return self.operator
        who = (role, department)
        if who not in self._tokens:
            self._tokens[who] = asyncio.create_task(self._make(role, department))
        return {"Authorization": f"Bearer {await asyncio.shield(self._tokens[who])}"}

    async def _make(self, role: str, department: str | None) -> str:
        body = {"name": self.name(role, department), "role": role, "department": department}
        # Noted before the request: a user may exist although the answer is lost.
        self._made.append(self.name(role, department))
        answer = done(await self.desk.post("/users", json=body, headers=self.operator))
        return str(answer.json()["token"])

    async def disable(self, name: str) -> None:
        done(await self.desk.post(f"/users/{name}/disable", headers=self.operator))

    async def disable_all(self) -> list[str]:
        """Disable every user of this run; returns the names of those that may still work."""
        if self._tokens:  # an interrupted run must not disable a user before the desk has made it
            await asyncio.wait(self._tokens.values())
        answers = await asyncio.gather(
            *(self.desk.post(f"/users/{name}/disable", headers=self.operator) for name in self._made),
            return_exceptions=True,
        )
        fine = (httpx.codes.OK, httpx.codes.NOT_FOUND)
        return [
            name
            for name, answer in zip(self._made, answers, strict=True)
            if isinstance(answer, BaseException) or answer.status_code not in fine
        ]


@dataclass
class Hands:
    """`http` has no token; `smtp_in` is where intake takes mails, None if it takes none."""

    urls: Urls
    http: httpx.AsyncClient
    staff: Staff
    kafka: Callable[[str], Connection]
    smtp_in: str | None = None
    _producers: dict[str, asyncio.Task[AIOKafkaProducer]] = field(default_factory=dict)

    # ── residents ────────────────────────────────────────────────────────────

    async def write(self, message: Mapping[str, Any]) -> tuple[str, str]:
        """Send a message; returns its ticket number and query code. The channels of the demo need the operator's token."""
        headers = {**self.staff.operator, "Idempotency-Key": str(uuid4())}
        receipt = done(await self.http.post(f"{self.urls.intake}/inquiries", json=message, headers=headers)).json()
        return receipt["inquiry_id"], receipt["query_code"]

    async def as_resident(self, case: PlayedCase, what: str, body: Mapping[str, Any]) -> httpx.Response:
        """Send an addition, a rating or a withdrawal with the query code; returns the answer, also an error."""
        where = f"{self.urls.intake}/inquiries/{case.inquiry_id}/{what}"
        return await self.http.post(where, json=body, headers={"X-Query-Code": case.code})

    async def add(self, case: PlayedCase, text: str) -> None:
        done(await self.as_resident(case, "additions", {"text": text}))

    async def rate(self, case: PlayedCase, round_: int, *, content: bool, words: str) -> None:
        rating = {"round": round_, "solved": content, "satisfied": "yes" if content else "no", "words": words}
        done(await self.as_resident(case, "rating", rating))

    async def confirm(self, url: str) -> None:
        """Press the button of the page that confirms a mail address."""
        done(await self.http.post(url))

    async def mail(self, mail: EmailMessage, return_path: str) -> None:
        """Hand a mail to intake by SMTP, as the city's mail server does; returns when intake has taken it."""
        await asyncio.to_thread(self._hand_over, mail, return_path)

    def _hand_over(self, mail: EmailMessage, return_path: str) -> None:
        host, _, port = (self.smtp_in or "").rpartition(":")
        if not host:
            raise NotAsExpected("this stack takes no mails: its stack.json has no smtp_in")
        try:
            with smtplib.SMTP(host, int(port), timeout=SMTP_S) as client:
                client.send_message(mail, from_addr=return_path)
        except (smtplib.SMTPException, OSError) as error:
            raise NotAsExpected(f"intake does not take a mail at {self.smtp_in!r}: {error}") from error

    async def send_file(
        self, base: str, name: str, content: bytes, headers: Mapping[str, str], **query: str
    ) -> httpx.Response:
        """Send a file to intake or to the desk; returns the answer, also an error."""
        form = {"file": (name, content, "application/octet-stream")}
        return await self.http.post(f"{base}/files", files=form, headers=headers, params=query)

    # ── departments ──────────────────────────────────────────────────────────

    async def department(self, code: str, type_: str, data: Mapping[str, Any]) -> str:
        """Write a message to the outbox of a department; returns its id."""
        id_ = str(uuid4())
        headers = [("ce_type", f"chorus.{type_}".encode()), ("ce_id", id_.encode())]
        value = json.dumps({"by": "demo", **data}, ensure_ascii=False).encode()
        if code not in self._producers:
            self._producers[code] = asyncio.create_task(self._producer(code))
        await (await self._producers[code]).send_and_wait(outbox(code), value, headers=headers)
        return id_

    async def _producer(self, code: str) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self.kafka(code).aiokafka(), acks="all", enable_idempotence=True)
        await producer.start()
        return producer

    async def close(self) -> None:
        """Close the producers."""
        for task in self._producers.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                await task.result().stop()
            task.cancel()

    # ── staff ────────────────────────────────────────────────────────────────

    async def look(self, path: str, role: str, department: str | None = None) -> httpx.Response:
        """Get something from the desk as a user with this role; returns the answer, also an error."""
        return await self.http.get(f"{self.urls.router}{path}", headers=await self.staff.token(role, department))

    async def case(self, case: PlayedCase, role: str = "auditor", department: str | None = None) -> dict[str, Any]:
        """The case as a user with this role sees it."""
        found: dict[str, Any] = done(await self.look(f"/cases/{case.inquiry_id}", role, department)).json()
        return found

    async def send(
        self, case: PlayedCase, type_: str, role: str, department: str | None = None, **fields: Any
    ) -> httpx.Response:
        """Send a command; returns the answer, also an error."""
        where = f"{self.urls.router}/cases/{case.inquiry_id}/commands"
        headers = await self.staff.token(role, department)
        return await self.http.post(where, json={"type": type_, **fields}, headers=headers)

    async def decided(
        self, case: PlayedCase, type_: str, role: str, department: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Send a command and wait for its decision; returns its status."""
        event_id = done(await self.send(case, type_, role, department, **fields)).json()["event_id"]

        async def status() -> dict[str, Any] | None:
            found: dict[str, Any] = done(await self.look(f"/commands/{event_id}", role, department)).json()
            return None if found["status"] == "pending" else found

        return await soon(status, f"the command {type_!r} is not decided")

    async def command(
        self, case: PlayedCase, type_: str, role: str, department: str | None = None, **fields: Any
    ) -> None:
        """Send a command that must be applied."""
        status = await self.decided(case, type_, role, department, **fields)
        expect_same(status["status"], "applied", f"the command {type_!r} of the {role} ({status.get('reason')})")

    async def refused(
        self, case: PlayedCase, type_: str, role: str, department: str | None = None, **fields: Any
    ) -> str:
        """Send a command that must be refused by the core; returns the reason."""
        status = await self.decided(case, type_, role, department, **fields)
        expect_same(status["status"], "refused", f"the command {type_!r} of the {role}")
        return str(status["reason"])

    async def forbidden(
        self, case: PlayedCase, type_: str, role: str, department: str | None = None, **fields: Any
    ) -> str:
        """Send a command that the role must not send; returns the sentence of the refusal."""
        answer = await self.send(case, type_, role, department, **fields)
        expect_same(answer.status_code, httpx.codes.FORBIDDEN, f"the command {type_!r} of the {role}")
        return problem(answer)


def done(answer: httpx.Response) -> httpx.Response:
    """The answer. Raises NotAsExpected with its sentence for a 4xx status, HTTPStatusError for a 5xx."""
    if answer.is_client_error:
        request = answer.request
        raise NotAsExpected(f"{request.method} {request.url.path} gets {answer.status_code}: {problem(answer)}")
    return answer.raise_for_status()
