"""Calls intake, the one place that registers messages, for a staff user who enters one on a resident's behalf."""

from dataclasses import dataclass
from typing import Any

import httpx

from services.router.domain.staff import StaffUser
from shared.http.problems import FieldProblem, Problem
from shared.runtime.logging import log

TIMEOUT_S = 12.0
"""Longer than intake waits for its store, so that its own answer comes first."""
PASSED_ON = (409, 413, 422)
"""The answers about the message itself, which the user of the desk reads unchanged."""


@dataclass(frozen=True)
class IntakeClient:
    url: str
    token: bytes
    transport: httpx.AsyncBaseTransport | None = None

    async def enter(self, body: dict[str, Any], key: str, who: StaffUser, person: str) -> httpx.Response:
        """Send a message in the name of a resident; `person` is who enters it. Safe to repeat with the same key.

        Raises Problem: 409, 413 or 422 as intake answers, 503 while intake or its store is unavailable.
        """
        entered_by = {"user": who.number, "role": who.role, "name": person}
        headers = {"Authorization": f"Bearer {self.token.decode()}", "Idempotency-Key": key}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, transport=self.transport) as client:
                answer = await client.post(
                    f"{self.url}/inquiries", json={**body, "entered_by": entered_by}, headers=headers
                )
        except httpx.HTTPError as error:
            log.warning("intake did not answer", error=type(error).__name__)
            raise _unavailable() from error
        if answer.status_code in PASSED_ON:
            raise _passed_on(answer)
        if answer.status_code != httpx.codes.ACCEPTED:
            log.warning("intake did not accept a message of the desk", status=answer.status_code)
            raise _unavailable()
        return answer


def _passed_on(answer: httpx.Response) -> Problem:
    said = answer.json()
    errors = [FieldProblem(pointer=one["pointer"], detail=one["detail"]) for one in said.get("errors", ())]
    return Problem(answer.status_code, said["detail"], errors)


def _unavailable() -> Problem:
    return Problem(
        503,
        "Intake is unavailable, and nobody knows whether it has the message; send it again in a moment with the same "
        "Idempotency-Key.",
        headers={"Retry-After": "5"},
    )
