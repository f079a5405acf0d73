"""Masks public answers for the hall, beside the mails: none of them waits for it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from services.notifier.domain.hall import UnmaskedEntry, case_of, shown_entry
from services.notifier.store import NotifierStore
from shared.city import City
from shared.kafka.failures import DependencyUnavailable
from shared.masking.worker import Masker, MaskingUnavailable
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed

LOOK_EVERY_S = 0.5
AT_ONCE = 5
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0


@dataclass
class HallMasking:
    """Claims answers that wait, has them masked, and stores the masked versions, which reviewers decide about."""

    store: NotifierStore
    city: CityFeed[City]
    masker: Masker

    async def run(self) -> None:
        """Run for ever. Killed at any point, an answer is masked again once its claim has run out."""
        while True:
            if not await self.mask_waiting():
                await asyncio.sleep(LOOK_EVERY_S)

    async def mask_waiting(self) -> int:
        """Mask a few answers that are due; how many there were."""
        city = self.city.city
        if city is None:
            raise DependencyUnavailable("city", "The departments' own contacts are not known before the city is read.")
        claimed = await self.store.claim_unmasked(timestamps.now(), AT_ONCE)
        for one in claimed:
            await self._mask(one, city)
        return len(claimed)

    async def _mask(self, one: UnmaskedEntry, city: City) -> None:
        try:
            masked = await self.masker.mask(case_of(one, city.published))
        except MaskingUnavailable as error:
            pause_s = min(FIRST_PAUSE_S * 2 ** min(one.attempts, 10), LONGEST_PAUSE_S)
            await self.store.mask_later(one, timestamps.now() + timedelta(seconds=pause_s))
            metrics.MASKINGS.labels("retried").inc()
            log.warning("not masked yet", inquiry_id=one.entry.inquiry_id, error=str(error))
        else:
            await self.store.versions.add(shown_entry(one.entry, masked))
            await self.store.forget_unmasked(one)
            metrics.MASKINGS.labels("masked").inc()
