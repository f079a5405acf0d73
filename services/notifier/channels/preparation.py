"""Decides what happens to a claimed thread: which mail is next, with which words, or why none is sent now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notifier.channels.adapter import Prepared
from services.notifier.channels.outcomes import GIVE_UP_AFTER, report
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.threads import Thread, next_mail
from services.notifier.mail.deliveries import Claimed
from services.notifier.store import NotifierStore
from shared.runtime import timestamps
from shared.runtime.settings import Settings

SUBJECT_AWAITED = timedelta(seconds=30)
"""How long a mail to a department waits for the subject, which comes by another topic than the new part."""
SUBJECT_PAUSE = timedelta(seconds=1)
TOO_MANY = "The address has not confirmed, and its hourly limit left no place for this mail for three days."


@dataclass
class Preparation:
    store: NotifierStore
    settings: Settings

    async def prepare(self, claimed: Claimed, confirmed: bool) -> Prepared | None:
        """The next mail of a claimed thread, recorded as begun; None when the claim has ended without one."""
        thread, waiting = claimed
        now = timestamps.now()
        if thread.stopped or not waiting:
            await self.store.mails.stopped(thread, waiting, now)
            report(thread, waiting, "stopped")
            return None
        mail = next_mail(thread, waiting, now)
        more = len(mail) < len(waiting)
        if thread.kind == "department":
            return await self._for_department(thread, mail, more)
        whole = confirmed or not self.settings.mail_confirm
        if not whole and not await self._within_limit(thread, mail, more):
            return None
        has_words = whole and thread.subject_has_words is not False
        if not await self.store.mails.begin(thread, mail, has_words):
            return None
        return Prepared(thread, mail, more, whole, mail[-1].notice.subject if has_words else None)

    async def _for_department(self, thread: Thread, mail: tuple[Delivery, ...], more: bool) -> Prepared | None:
        subject, now = await self.store.mails.subject_of(thread.inquiry_id), timestamps.now()
        if subject is None and now - mail[-1].noted_at < SUBJECT_AWAITED:
            await self.store.mails.wait_until(thread, now + SUBJECT_PAUSE)
            return None
        if not await self.store.mails.begin(thread, mail, True):
            return None
        return Prepared(thread, mail, more, True, subject)

    async def _within_limit(self, thread: Thread, mail: Sequence[Delivery], more: bool) -> bool:
        """Take a place in the hour of an unconfirmed address; without one, the thread waits, at most GIVE_UP_AFTER."""
        now, most = timestamps.now(), self.settings.mail_per_address_per_hour
        wait_until = await self.store.addresses.take_slot(thread.mailbox, mail[0].id, now, most)
        if wait_until is None:
            return True
        if now - mail[0].tried_from > GIVE_UP_AFTER:
            await self.store.mails.failed(thread, mail, more, TOO_MANY, now)
            report(thread, mail, "failed")
        else:
            await self.store.mails.hold_back(thread, now, wait_until)
            report(thread, mail, "limited")
        return False
