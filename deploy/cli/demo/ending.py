"""What the demo shows at its end: the clocks that broke, and a ticket to open in a browser."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.cli.console import Failure, ask
from deploy.cli.demo.account import DemoCase
from deploy.local.stack_file import StackFile

COUNTED_S = 10.0
POLL_S = 0.3


def broken_clocks(running: StackFile, cases: Sequence[DemoCase]) -> list[Mapping[str, Any]]:
    """The broken clocks of the messages that the demo let run late; waits until the scorer has counted them."""
    return [clock for case in cases if case.message.late and case.inquiry_id for clock in _broken(running, case)]


def _broken(running: StackFile, case: DemoCase) -> list[Mapping[str, Any]]:
    until = time.monotonic() + COUNTED_S
    while True:
        try:
            clocks = ask("GET", f"{running.urls.scorer}/inquiries/{case.inquiry_id}/clocks").json()
        except Failure:
            clocks = []
        broken = [one for one in clocks if one["verdict"] == "broken"]
        if broken or time.monotonic() > until:
            return broken
        time.sleep(POLL_S)


def broken_sentences(broken: Sequence[Mapping[str, Any]], changed_policy: bool) -> list[str]:
    """One sentence for each broken clock; without one, why none broke."""
    if broken:
        return [
            f"The {one['clock'].replace('_', ' ')} clock of {one['part_id']} is broken: "
            f"{one['department']} had until {one['due_at']}."
            for one in broken
        ]
    if not changed_policy:
        return ["No clock broke: the demo shortens time limits only on a local stack."]
    return ["No clock broke: the short policy was not in force when the message was assigned."]


def ticket_to_try(running: StackFile, cases: Sequence[DemoCase]) -> dict[str, str] | None:
    """An answered ticket with its code, a joint reply if there is one; None when nothing was answered."""
    answered = [case for case in cases if case.answered and case.inquiry_id and case.code]
    case = next((one for one in answered if one.joint), next(iter(answered), None))
    if case is None or case.inquiry_id is None or case.code is None:
        return None
    lang = case.message.language
    url = f"{running.urls.intake}/status?ticket={case.inquiry_id}&code={case.code}&lang={lang}"
    return {"url": url, "inquiry_id": case.inquiry_id, "query_code": case.code}
