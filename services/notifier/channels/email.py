"""Sends due mails over SMTP, and retries until the mail server accepts a mail or rejects it permanently."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

import aiosmtplib

from services.notifier.channels.message import MailWriter
from services.notifier.channels.preparation import GIVE_UP_AFTER, Preparation, Prepared, report
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.threads import Thread, next_mail
from services.notifier.mail.deliveries import Claimed
from services.notifier.store import NotifierStore
from shared.city import City
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed

LOOK_EVERY_S = 0.5
RESIDENTS_AT_ONCE = 50
DEPARTMENTS_AT_ONCE = 10
SEND_TIMEOUT_S = 20.0
LEASE_SPARE_S = 10.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
LONGEST_OUTAGE_PAUSE_S = 30.0
"""While no mail server answers: the first mails after an outage should not wait long."""
FORGET_EVERY_S = 600.0
CONNECTION_ERRORS = (OSError, aiosmtplib.SMTPHeloError)
"""Errors of the connection, which say nothing about the mail."""


@dataclass
class MailDelivery:
    store: NotifierStore
    writer: MailWriter
    city: CityFeed[City]

    async def deliver(self) -> None:
        """Send due mails. Runs forever.

        After a crash between sending a mail and recording it, the same mail is sent again under the same ids. Each turn
        sends mails to residents first and a few to departments, so that many new parts do not delay residents' mails.
        """
        while True:
            city, now = self.city.current(), timestamps.now()
            due = [
                *await self.store.mails.claim(now, "resident", RESIDENTS_AT_ONCE),
                *await self.store.mails.claim(now, "department", DEPARTMENTS_AT_ONCE),
            ]
            if due:
                await self._send_all(due, city)
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def forget(self) -> None:
        """Delete what is kept for a while only. Runs forever."""
        while True:
            await self.store.mails.forget_old(timestamps.now())
            await self.store.addresses.forget_old(timestamps.now())
            await asyncio.sleep(FORGET_EVERY_S)

    async def _send_all(self, due: Sequence[Claimed], city: City) -> None:
        """Send a mail of each thread over one connection; release those that their lease leaves no time for.

        When the mail server cannot be reached, all of them are retried later.
        """
        smtp = self.writer.settings.smtp
        host, _, port = smtp.rpartition(":")
        server = aiosmtplib.SMTP(hostname=host, port=int(port), timeout=SEND_TIMEOUT_S, use_tls=False, start_tls=None)
        confirmed = await self.store.addresses.confirmed(one.thread.address for one in due)
        preparation = Preparation(self.store, self.writer.settings)
        waiting = deque(due)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await server.connect()
            async with server:
                while waiting and server.is_connected and lease_covers_a_mail(waiting[0].thread):
                    claimed = waiting.popleft()
                    prepared = await preparation.prepare(claimed, claimed.thread.address in confirmed)
                    if prepared is not None:
                        await self._send(server, prepared, city)
        except (aiosmtplib.SMTPException, OSError) as error:
            # Only the class: the text of an SMTP error may quote an address.
            log.warning("mail server unavailable", smtp=smtp, error=type(error).__name__)
            while waiting:
                await self._retry_unavailable(waiting.popleft(), error)
        finally:
            # When the process stops too: otherwise they would wait for the end of their lease.
            for thread, _ in waiting:
                await self.store.mails.wait_until(thread, timestamps.now())

    async def _send(self, server: aiosmtplib.SMTP, prepared: Prepared, city: City) -> None:
        """Send one mail. An error concerns this mail only: it is retried later or marked as failed."""
        thread, mail = prepared.thread, prepared.mail
        try:
            made = self._written(prepared, city)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await server.send_message(made, recipients=[one.addr_spec for one in made["To"].addresses])
        # Any error is about this mail. Raised further, it would end the process, and again after each restart.
        except Exception as error:  # noqa: BLE001
            if isinstance(error, CONNECTION_ERRORS):
                server.close()
            await self._handle_error(prepared, error)
        else:
            await self.store.mails.sent(thread, mail, prepared.more, timestamps.now())
            report(thread, mail, "sent")

    def _written(self, prepared: Prepared, city: City) -> EmailMessage:
        thread, mail, subject = prepared.thread, prepared.mail, prepared.subject
        if thread.kind == "department":
            return self.writer.to_department(mail, city, subject)
        return self.writer.to_resident(thread, mail, city, prepared.whole, subject)

    async def _handle_error(self, prepared: Prepared, error: Exception) -> None:
        thread, mail, now = prepared.thread, prepared.mail, timestamps.now()
        if is_permanent(error) or now - mail[0].tried_from > GIVE_UP_AFTER:
            await self.store.mails.failed(thread, mail, prepared.more, error_text(error), now)
            report(thread, mail, "failed")
        else:
            # After a lost connection nobody knows whether the mail server has accepted the mail.
            maybe_sent = isinstance(error, OSError) or bool(thread.sending)
            await self._retry_later(thread, mail, error, maybe_sent, LONGEST_PAUSE_S)

    async def _retry_unavailable(self, claimed: Claimed, error: Exception) -> None:
        thread, waiting = claimed
        if not waiting:
            await self.store.mails.settle(thread, False, timestamps.now())
            return
        mail = next_mail(thread, waiting, timestamps.now())
        await self._retry_later(thread, mail, error, bool(thread.sending), LONGEST_OUTAGE_PAUSE_S)

    async def _retry_later(
        self, thread: Thread, mail: Sequence[Delivery], error: Exception, maybe_sent: bool, longest_s: float
    ) -> None:
        pause_s = min(FIRST_PAUSE_S * 2 ** min(thread.attempts, 10), longest_s)
        due_at = timestamps.now() + timedelta(seconds=pause_s)
        await self.store.mails.retry_at(thread, mail, due_at, error_text(error), maybe_sent)
        report(thread, mail, "retried")


def lease_covers_a_mail(thread: Thread) -> bool:
    """Whether there is time for one more mail before the lease ends and another process may send this mail too."""
    ends_at = thread.due_at
    return ends_at is not None and timestamps.now() + timedelta(seconds=SEND_TIMEOUT_S + LEASE_SPARE_S) < ends_at


def error_text(error: Exception) -> str:
    """The class and message of an error, for operators; only the sentence of an error of our own."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def is_permanent(error: Exception) -> bool:
    """Whether a retry is useless: the server rejects recipient or text with 5xx, or the mail cannot be built.

    Connection errors, 4xx, and a rejected sender address are temporary.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in error.recipients)
    if isinstance(error, (*CONNECTION_ERRORS, aiosmtplib.SMTPSenderRefused)):
        return False
    return not isinstance(error, aiosmtplib.SMTPResponseException) or error.code >= 500
