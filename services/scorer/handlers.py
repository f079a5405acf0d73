"""What the scorer does with each batch it reads: keep every event once, count verdicts, notice gaps."""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.scorer.domain.clocks import STOPPING, newly_judged
from services.scorer.store import ScorerStore
from shared.contracts.facts import EVENT_TYPES
from shared.runtime import metrics
from shared.runtime.logging import log
from shared.service.event_decoders import Event

INQUIRIES_WATCHED = 50_000


@dataclass
class Events:
    """Takes events in."""

    store: ScorerStore
    _last: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def take(self, batch: Sequence[Event]) -> None:
        """Safe to repeat: an event that is there is not inserted, nor counted, again."""
        there = await self.store.add(batch)
        new = [event for event in batch if event.id not in there]
        for kind in (event.type for event in new if event.type not in EVENT_TYPES):
            metrics.UNKNOWN_TYPES.labels("scorer").inc()
            log.warning("an unknown event was kept", type=kind)
        await self._look_into(self._watch(batch))
        await self._judge(new)

    def _watch(self, batch: Sequence[Event]) -> set[str]:
        """The inquiries of which an event came that does not follow the one before; repeats may come in any order."""
        doubtful: set[str] = set()
        for event in batch:
            last = self._last.get(event.inquiry_id)
            if last is not None and event.sequence > last + 1:
                doubtful.add(event.inquiry_id)
            self._last[event.inquiry_id] = max(last or 0, event.sequence)
            self._last.move_to_end(event.inquiry_id)
        while len(self._last) > INQUIRIES_WATCHED:
            self._last.popitem(last=False)
        return doubtful

    async def _look_into(self, doubtful: set[str]) -> None:
        """A gap is a defect only if the event is not there: events come in order, and each follows the one before."""
        for inquiry_id, facts in (await self.store.facts(sorted(doubtful))).items():
            have = {fact.sequence for fact in facts}
            if missing := set(range(1, max(have) + 1)) - have:
                metrics.SEQUENCE_GAPS.labels("scorer").inc(len(missing))
                log.error("a gap", inquiry_id=inquiry_id, missing=sorted(missing)[:10])

    async def _judge(self, new: Sequence[Event]) -> None:
        stopping: dict[str, set[int]] = defaultdict(set)
        for event in new:
            if isinstance(event.body, STOPPING):
                stopping[event.inquiry_id].add(event.sequence)
        for inquiry_id, facts in (await self.store.facts(sorted(stopping))).items():
            for clock, verdict in newly_judged(facts, stopping[inquiry_id]):
                metrics.CLOCKS_JUDGED.labels(clock, verdict).inc()
