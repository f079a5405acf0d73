"""Calls to the desk's HTTP API: list cases, get a case, send a command and wait for its decision."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from deploy.cli.console import FAILED, REFUSED, UNAVAILABLE, Failure, ask, emit, say, stack

DECIDED_S = 15.0
POLL_S = 0.1
PAGE = 500


Query = Mapping[str, str | Sequence[str] | None]
"""Query fields; those without a value are not sent, those with several are repeated."""


def cases(query: Query) -> Iterator[dict[str, Any]]:
    """Every case that meets the filters, the message received last first."""
    return pages(f"{stack().urls.router}/cases", "cases", query)


def pages(url: str, field: str, query: Query) -> Iterator[dict[str, Any]]:
    """Every row of a paginated list, also after empty pages; `field` is the field of the response that has the rows."""
    after: str | None = None
    given = {name: value for name, value in query.items() if value is not None}
    while True:
        asked: dict[str, Any] = {**given, "limit": PAGE, **({"after": after} if after else {})}
        page = ask("GET", url, operator=True, params=asked).json()
        yield from page[field]
        after = page.get("next")
        if not after:
            return


def case(inquiry_id: str) -> dict[str, Any]:
    """A case with its timeline; raises Failure 1 when no case has this number."""
    try:
        found: dict[str, Any] = ask("GET", _case_url(inquiry_id), operator=True).json()
    except Failure as failure:
        if answered(failure, httpx.codes.NOT_FOUND):
            raise Failure(FAILED, f"Inquiry {inquiry_id!r} does not exist: check the number.") from failure
        raise
    return found


def command(inquiry_id: str, body: dict[str, Any]) -> None:
    """Send a command for a case, wait for its decision, and print it; raises Failure 4 when it is refused."""
    outcome = send(inquiry_id, body)
    emit(outcome)
    check_applied(inquiry_id, outcome)
    say(f"Done: {inquiry_id} {body['type']}.")


def send(inquiry_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a command for a case and wait for its decision; returns its status with its `event_id`."""
    event_id = ask("POST", f"{_case_url(inquiry_id)}/commands", operator=True, json=body).json()["event_id"]
    return {"event_id": event_id} | _decided(event_id)


def check_applied(inquiry_id: str, status: Mapping[str, Any]) -> None:
    """Raise Failure 4 for a command that is refused, Failure 3 for one that is not decided yet."""
    if status["status"] == "refused":
        raise Failure(REFUSED, f"The command for {inquiry_id!r} was refused: {status.get('reason', 'no reason given')}")
    if status["status"] != "applied":
        raise Failure(
            UNAVAILABLE,
            f"The desk stored the command {status['event_id']}, but the router has not decided it within {DECIDED_S:.0f} s. "
            "It decides when Kafka and the router work again (`chorus status`); "
            f"`chorus timeline {inquiry_id}` then shows the effect.",
        )


def _decided(event_id: str) -> dict[str, Any]:
    until = time.monotonic() + DECIDED_S
    while True:
        status: dict[str, Any] = ask("GET", f"{stack().urls.router}/commands/{event_id}", operator=True).json()
        if status["status"] != "pending" or time.monotonic() > until:
            return status
        time.sleep(POLL_S)


def _case_url(inquiry_id: str) -> str:
    return f"{stack().urls.router}/cases/{quote(inquiry_id, safe='')}"


def answered(failure: Failure, status: int) -> bool:
    """Whether the service returned this status, which `ask` writes into the sentence."""
    return failure.code == REFUSED and f"({status})" in failure.sentence
