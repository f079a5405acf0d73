"""Handles batches from `inquiries.events`: stores each event once, counts verdicts, reports gaps in sequences."""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.scorer.domain.clocks import STOPPING, newly_judged
from services.scorer.erasure import erase
from services.scorer.store import ScorerStore
from shared.contracts.facts import EVENT_TYPES
from shared.events.case_events import InquiryErasedEvent
from shared.runtime import metrics
from shared.runtime.logging import log
from shared.service.event_decoders import Event

INQUIRIES_WATCHED = 50_000


@dataclass
class Events:
    """The handler of the group `scorer`."""

    store: ScorerStore
    _last: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def take(self, batch: Sequence[Event]) -> None:
        """Store the events of a batch. Safe to repeat: an event that is stored is neither stored nor counted again."""
        for event in batch:
            if isinstance(event.body, InquiryErasedEvent):
                await erase(self.store, event.inquiry_id, event.body.through)
        existing = await self.store.add(batch)
        new = [event for event in batch if event.id not in existing]
        for kind in (event.type for event in new if event.type not in EVENT_TYPES):
            metrics.UNKNOWN_TYPES.labels("scorer").inc()
            log.warning("event of unknown type stored", type=kind)
        await self._report_gaps(self._possible_gaps(batch))
        await self._count_verdicts(new)

    def _possible_gaps(self, batch: Sequence[Event]) -> set[str]:
        """Inquiries with an event whose sequence is not the next one after the last that this process has read."""
        inquiries: set[str] = set()
        for event in batch:
            last = self._last.get(event.inquiry_id)
            if last is not None and event.sequence > last + 1:
                inquiries.add(event.inquiry_id)
            self._last[event.inquiry_id] = max(last or 0, event.sequence)
            self._last.move_to_end(event.inquiry_id)
        while len(self._last) > INQUIRIES_WATCHED:
            self._last.popitem(last=False)
        return inquiries

    async def _report_gaps(self, inquiries: set[str]) -> None:
        """Report sequences that are missing in the store: another process may have stored what this one has not read."""
        for inquiry_id, facts in (await self.store.facts(sorted(inquiries))).items():
            stored = {fact.sequence for fact in facts}
            if missing := set(range(1, max(stored) + 1)) - stored:
                metrics.SEQUENCE_GAPS.labels("scorer").inc(len(missing))
                log.error("gap in event sequence", inquiry_id=inquiry_id, missing=sorted(missing)[:10])

    async def _count_verdicts(self, new: Sequence[Event]) -> None:
        stopping: dict[str, set[int]] = defaultdict(set)
        for event in new:
            if isinstance(event.body, STOPPING):
                stopping[event.inquiry_id].add(event.sequence)
        for inquiry_id, facts in (await self.store.facts(sorted(stopping))).items():
            for clock, verdict in newly_judged(facts, stopping[inquiry_id]):
                metrics.CLOCKS_JUDGED.labels(clock, verdict).inc()
