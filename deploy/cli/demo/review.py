"""The demo as reviewer of the hall: it publishes the public replies of its messages, and looks for them in the hall."""

import time
from collections.abc import Sequence
from typing import Any

from deploy.cli import desk_client
from deploy.cli.console import Failure, ask
from deploy.cli.demo.account import DemoCase
from deploy.local.stack_file import StackFile

MASKED_S = 45.0
POLL_S = 0.3


def publish_replies(running: StackFile, cases: Sequence[DemoCase]) -> tuple[int, int]:
    """Publish each public reply once it is masked. Returns how many there are, and how many the hall shows in the end."""
    public = [case.inquiry_id for case in cases if case.message.public and case.answered and case.inquiry_id]
    until = time.monotonic() + MASKED_S
    for inquiry_id in public:
        if (entry := _masked(running, inquiry_id, until)) is not None and entry["state"] == "waiting":
            desk_client.send(inquiry_id, {"type": "publish", "text_hash": entry["sha256"]})
    return len(public), sum(_shown(running, inquiry_id, until) for inquiry_id in public)


def _masked(running: StackFile, inquiry_id: str, until: float) -> dict[str, Any] | None:
    """The newest masked version, once the notifier has it; None after `until`."""
    while True:
        try:
            found: dict[str, Any] = ask(
                "GET", f"{running.urls.notifier}/publications/{inquiry_id}", operator=True
            ).json()
        except Failure as failure:
            if not desk_client.answered(failure, 404):
                raise
        else:
            return found
        if time.monotonic() > until:
            return None
        time.sleep(POLL_S)


def _shown(running: StackFile, inquiry_id: str, until: float) -> bool:
    """Whether the hall has a page for the inquiry; waits for it until then."""
    while True:
        try:
            ask("GET", f"{running.urls.notifier}/hall/{inquiry_id}")
        except Failure as failure:
            if not desk_client.answered(failure, 404):
                raise
        else:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
