"""What several commands ask of the desk: cases page by page, one case, and a command until it is decided."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from deploy.cli.console import AWAY, FAILED, REFUSED, Failure, ask, emit, say, stack

DECIDED_S = 15.0
POLL_S = 0.1
PAGE = 500


def cases(state: str) -> Iterator[dict[str, Any]]:
    """Every case in a state, oldest number first."""
    return pages(f"{stack().urls.router}/cases", "cases", {"state": state})


def pages(url: str, field: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every row of a list that is answered page by page; `field` names the rows in each answer."""
    after: str | None = None
    while True:
        asked: dict[str, str | int] = {**query, "limit": PAGE, **({"after": after} if after else {})}
        page = ask("GET", url, operator=True, params=asked).json()
        yield from page[field]
        after = page.get("next")
        if not after:
            return


def case(inquiry_id: str) -> dict[str, Any]:
    """A case with its timeline; raises Failure 1 when there is none of this number."""
    try:
        found: dict[str, Any] = ask("GET", _case_url(inquiry_id), operator=True).json()
    except Failure as failure:
        if answered(failure, httpx.codes.NOT_FOUND):
            raise Failure(FAILED, f"There is no inquiry {inquiry_id!r}: check the number.") from failure
        raise
    return found


def command(inquiry_id: str, body: dict[str, Any]) -> None:
    """Put a command onto a case's log and wait until it is decided; raises Failure 4 when it is refused."""
    event_id = ask("POST", f"{_case_url(inquiry_id)}/commands", operator=True, json=body).json()["event_id"]
    status = _decided(event_id)
    emit({"event_id": event_id} | status)
    if status["status"] == "refused":
        raise Failure(REFUSED, f"The command for {inquiry_id!r} was refused: {status.get('reason', 'no reason given')}")
    if status["status"] != "applied":
        raise Failure(
            AWAY,
            f"The command {event_id} lies safely at the desk and was not decided within {DECIDED_S:.0f} s: it will be "
            f"when broker and router are back (`chorus status`); `chorus timeline {inquiry_id}` then shows the effect.",
        )
    say(f"Done: {inquiry_id} {body['type']}.")


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
    """Whether the service answered with this status: `ask` keeps it in the sentence."""
    return failure.code == REFUSED and f"({status})" in failure.sentence
