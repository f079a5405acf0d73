"""`chorus erase`: erases the words and contacts of an inquiry in every service."""

import sys
import time
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import FAILED, UNAVAILABLE, USAGE, Failure, ask, emit, operator_token, say, stack

SERVICES = ("router", "intake", "notifier", "scorer")
"""The services that erase, the router first: the others read what it publishes."""
WAIT_S = 10
PATIENCE_S = 60.0


def erase(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    why: Annotated[str, typer.Option("--why", help="The reason. It is erased too, so keep the request in your files.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation on a terminal.")] = False,
) -> None:
    """Erase the words and contacts of an inquiry in every service. This cannot be undone. Safe to repeat.

    Facts, ids and times stay. Prints until when Kafka and backups may still contain the words.
    """
    outcome: dict[str, Any] = {"inquiry_id": inquiry, "status": "applied"}
    if _state(inquiry) == "erased":
        say(f"{inquiry} is erased already.")
    else:
        if sys.stdin.isatty() and not yes and not typer.confirm(f"Erase {inquiry} for ever?", err=True):
            raise Failure(USAGE, "Nothing is erased.")
        outcome |= desk_client.send(inquiry, {"type": "erase", "why": why})
        if outcome["status"] != "applied":
            emit(outcome)
        desk_client.check_applied(inquiry, outcome)
    waited = _wait_for_services()
    dates = desk_client.case(inquiry)["erasure"]
    emit(outcome | {"state": "erased", "services": list(waited)} | dates)
    say(f"Erased: {inquiry}, at {dates['erased_at']}.")
    if waited != SERVICES:
        say("Every service erases it when it reads of it; with the operator's token this command waits for that.")
    say(
        f"Kafka may contain the words until {dates['kafka_until']}, backups until {dates['backups_until']}.",
        "Tell the departments to delete their copies; each has got `part.erased`.",
    )


def _state(inquiry_id: str) -> str | None:
    """The state of the case; None before its first decision, when its message may be parked."""
    try:
        return str(desk_client.case(inquiry_id)["state"])
    except Failure as failure:
        if failure.code != FAILED:
            raise
        return None


def _wait_for_services() -> tuple[str, ...]:
    """Wait until the services have read what was published until now; returns the services that could be asked."""
    try:
        operator_token()
    except Failure:
        return ()
    for service in SERVICES:
        url, until = f"{getattr(stack().urls, service)}/behind", time.monotonic() + PATIENCE_S
        try:
            while ask("GET", url, operator=True, params={"wait_s": WAIT_S}).json()["behind"]:
                if time.monotonic() > until:
                    raise Failure(
                        UNAVAILABLE,
                        f"The inquiry is erased, but the {service} has not read of it yet: see `chorus status`, and run this "
                        "again when its consumer lag is 0.",
                    )
        except Failure as failure:
            # A supervisor may erase, and may not ask the router for its consumer lag.
            if not desk_client.answered(failure, 403):
                raise
            return ()
    return SERVICES
