"""Measures timers that should have rung, and says so in readiness."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.stores.case_timers import CaseTimers
from services.router.timers.loop import LEASE_S
from shared.runtime import metrics, timestamps

MEASURE_EVERY_S = 15.0
LATE = timedelta(minutes=1)
LONGEST_WAIT = timedelta(seconds=LEASE_S)


@dataclass
class OverdueTimers:
    timers: CaseTimers
    now: Callable[[], datetime] = timestamps.now

    async def measure(self) -> None:
        """Set the gauge every MEASURE_EVERY_S. Runs forever."""
        while True:
            found = await self.timers.overdue(self.now() - LATE, LATE + LONGEST_WAIT)
            metrics.TIMERS_OVERDUE.set(found.cases if found else 0)
            await asyncio.sleep(MEASURE_EVERY_S)

    async def remark(self) -> str | None:
        """A sentence while timers are overdue. The router is ready all the same: another process may ring them."""
        found = await self.timers.overdue(self.now() - LATE, LATE + LONGEST_WAIT)
        if found is None:
            return None
        cases = "1 case has a timer" if found.cases == 1 else f"{found.cases} cases have timers"
        return (
            f"{cases} that should have rung since {timestamps.to_text(found.since)}: the gate may wait for an outbox, "
            "or no router rings timers"
        )
