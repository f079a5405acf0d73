"""Rings the timers of cases: looks at a case when one is due, and appends `timer.rang` to its log."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.part import OPEN
from services.router.domain.timers import Timer, due_timers, timers_of
from services.router.stores.case_timers import Look
from services.router.stores.store import RouterStore
from services.router.timers.messages import rang
from shared.contracts.envelope import Message
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed
from shared.store.mongo import Document

EVERY_S = 1.0
LEASE_S = 30.0
CASES = 200
SKEW = timedelta(seconds=1)
"""How far the clocks of this machine and of the broker may differ: a record's time is the broker's."""
WAIT_AGAIN = timedelta(seconds=2)
GATE_WAIT = timedelta(minutes=15)
UNDECIDED_AGAIN = timedelta(seconds=60)
Unread = Callable[[Mapping[str, int]], Awaitable[set[str]]]
"""By topic of an outbox and a time in milliseconds, which topics the gate has not read until then."""
Unpublished = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Of these inquiries, those with a command of the desk that is not on the log."""
ENDS_A_DISPUTE = "return-arbitration"


async def none_unpublished(inquiry_ids: Sequence[str]) -> set[str]:
    return set()


@dataclass
class Timers:
    """Several processes may run this at once: what two of them append for one timer has the same bytes."""

    store: RouterStore
    city: CityFeed[CityIndex]
    publisher: Publisher
    unread: Unread
    lease_s: float = LEASE_S
    now: Callable[[], datetime] = timestamps.now
    unpublished: Unpublished = none_unpublished

    async def run(self) -> None:
        """Ring timers as they become due. Runs forever."""
        while True:
            if not await self.round():
                await asyncio.sleep(EVERY_S)

    async def round(self) -> bool:
        """Look at up to `CASES` cases. Returns True when there may be more."""
        moment = self.now() - SKEW
        claimed = await self.store.timers.claim(moment, self.lease_s, CASES)
        if not claimed:
            return False
        city = self.city.current()
        cases = await self.store.decisions.reload([one["_id"] for one in claimed])
        due = {one.inquiry_id: due_timers(one, city, timestamps.to_ms(moment)) for one in cases.values()}
        waiting = await self._unread(cases, due)
        # An arbiter who decides in time must not lose against the timer because the desk's relay is slow.
        disputes = [id_ for id_, timers in due.items() if any(one.kind == ENDS_A_DISPUTE for one in timers)]
        undecided = await self.unpublished(disputes) if disputes else set()
        messages: list[Message] = []
        looks: list[tuple[Document, list[Timer], bool]] = []
        for document in claimed:
            case = cases[document["_id"]]
            timers = [one for one in due[case.inquiry_id] if one.id_in(case.inquiry_id) not in document.get("rang", ())]
            unread = (outboxes_of(case) & waiting) | ({case.inquiry_id} & undecided)
            ready, behind = _ready(timers, unread, moment)
            messages += [rang(case.inquiry_id, one, behind=behind) for one in ready]
            looks.append((document, ready, len(ready) < len(timers)))
        await self.publisher.publish(messages)
        if messages:
            log.info("timers rang", timers=len(messages), cases=len(claimed))
        # After the publish: a process that dies before it leaves the claim, which expires.
        again = (self._look_again(moment, one, cases[one["_id"]], ready, waits) for one, ready, waits in looks)
        await asyncio.gather(*again)
        return len(claimed) == CASES

    async def _unread(self, cases: Mapping[str, Case], due: Mapping[str, Sequence[Timer]]) -> set[str]:
        """The outboxes of departments with an open part that the gate has not read until the case's newest due timer."""
        until: dict[str, int] = {}
        for inquiry_id, timers in due.items():
            if timers:
                for outbox in outboxes_of(cases[inquiry_id]):
                    until[outbox] = max(until.get(outbox, 0), timers[-1].rings_at)
        return await self.unread(until) if until else set()

    async def _look_again(
        self, moment: datetime, document: Document, case: Case, ready: Sequence[Timer], waits: bool
    ) -> None:
        """Store when to look at the case again: at its next timer, and sooner while one waits or is not decided yet."""
        timers = timers_of(case, self.city.current())
        if not timers:
            await self.store.timers.remove(document)
            return
        pending = {one.id_in(case.inquiry_id): timestamps.from_ms(one.rings_at) for one in timers}
        on_log = pending.keys() & {*document.get("rang", ()), *(one.id_in(case.inquiry_id) for one in ready)}
        # A timer that became due during this round is later than `moment`, so it rings in the next one.
        times = [at for at in pending.values() if at > moment]
        if waits:
            times.append(moment + WAIT_AGAIN)
        if on_log:
            times.append(moment + UNDECIDED_AGAIN)
        look = Look(case.inquiry_id, case.sequence, timers[0].rings_at)
        await self.store.timers.look_again(document, min(times, default=moment + WAIT_AGAIN), look, sorted(on_log))


def outboxes_of(case: Case) -> set[str]:
    """The outboxes of the departments with an open part."""
    return {topics.outbox(part.department) for part in case.parts.values() if part.state in OPEN}


def _ready(timers: Sequence[Timer], unread: set[str], moment: datetime) -> tuple[list[Timer], bool]:
    """The timers that ring now, and whether they ring although an outbox is not read until then."""
    if not unread:
        return list(timers), False
    latest = timestamps.to_ms(moment - GATE_WAIT)
    return [one for one in timers if one.rings_at <= latest], True
