"""Sends due mails over SMTP, and retries until the mail server accepts a mail or rejects it permanently."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

import aiosmtplib

from services.notifier.channels.adapter import Delivered, Outcome, Prepared, Rejected, TryLater
from services.notifier.channels.message import MailWriter
from services.notifier.channels.outcomes import record, retry_later
from services.notifier.channels.preparation import Preparation
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
LONGEST_OUTAGE_PAUSE_S = 30.0
"""While no mail server answers: the first mails after an outage should not wait long."""
FORGET_EVERY_S = 600.0
CONNECTION_ERRORS = (OSError, aiosmtplib.SMTPHeloError)
"""Errors of the connection, which say nothing about the mail."""


@dataclass(frozen=True)
class SmtpChannel:
    """The adapter for e-mail, on an open connection to the mail server."""

    server: aiosmtplib.SMTP
    writer: MailWriter

    async def deliver(self, message: Prepared, city: City) -> Outcome:
        """Send one mail. An error concerns this mail only."""
        try:
            made = self._written(message, city)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self.server.send_message(made, recipients=[one.addr_spec for one in made["To"].addresses])
        # Any error is about this mail. Raised further, it would end the process, and again after each restart.
        except Exception as error:  # noqa: BLE001
            if isinstance(error, CONNECTION_ERRORS):
                self.server.close()
            if is_permanent(error):
                return Rejected(error_text(error))
            # After a lost connection nobody knows whether the mail server has accepted the mail.
            return TryLater(error_text(error), maybe_delivered=isinstance(error, OSError))
        return Delivered()

    def _written(self, message: Prepared, city: City) -> EmailMessage:
        if message.thread.kind == "department":
            return self.writer.to_department(message.mail, city, message.subject)
        return self.writer.to_resident(message.thread, message.mail, city, message.whole, message.subject)


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
                        outcome = await SmtpChannel(server, self.writer).deliver(prepared, city)
                        await record(self.store.mails, prepared, outcome)
        except (aiosmtplib.SMTPException, OSError) as error:
            # Only the class: the text of an SMTP error may quote an address.
            log.warning("mail server unavailable", smtp=smtp, error=type(error).__name__)
            while waiting:
                await self._retry_unavailable(waiting.popleft(), error)
        finally:
            # When the process stops too: otherwise they would wait for the end of their lease.
            for thread, _ in waiting:
                await self.store.mails.wait_until(thread, timestamps.now())

    async def _retry_unavailable(self, claimed: Claimed, error: Exception) -> None:
        thread, waiting = claimed
        if not waiting:
            await self.store.mails.settle(thread, False, timestamps.now())
            return
        mail = next_mail(thread, waiting, timestamps.now())
        await retry_later(self.store.mails, thread, mail, error_text(error), False, LONGEST_OUTAGE_PAUSE_S)


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
