"""Sends due mails over SMTP, and retries until the mail server accepts a mail or rejects it permanently."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from services.notifier.domain.deliveries import Delivery
from services.notifier.store import NotifierStore
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.runtime.settings import Settings

LOOK_EVERY_S = 0.5
RESIDENTS_AT_ONCE = 50
DEPARTMENTS_AT_ONCE = 10
SEND_TIMEOUT_S = 20.0
LEASE_SPARE_S = 10.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
GIVE_UP_AFTER = timedelta(days=3)
CONNECTION_ERRORS = (OSError, aiosmtplib.SMTPHeloError)
"""Errors of the connection, which say nothing about the mail."""


def mail_of(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail of a delivery. Message-ID and X-Chorus-Event contain the event's id, so that a repeat is recognisable.

    Raises ValueError for a delivery whose text is deleted, and for an address that a mail program would read as another
    one. `=?` starts an encoded word, which mail programs decode: in an address into another recipient, in a subject into
    further headers.
    """
    if delivery.subject is None or delivery.text is None or delivery.to is None:
        raise ValueError("The text of this mail is deleted.")
    name, _, domain = delivery.to.rpartition("@")
    if "=?" in delivery.to:
        raise ValueError("The address contains '=?', which starts an encoded word.")
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = Address(username=name, domain=domain)
    if [one.addr_spec for one in mail["To"].addresses] != [delivery.to]:
        raise ValueError("A mail program would read the address as another one.")
    mail["Subject"] = delivery.subject.replace("=?", "= ?")
    mail["Date"] = formatdate(delivery.noted_at.timestamp())
    mail["Message-ID"] = f"<{delivery.id}@{sender.rpartition('@')[2]}>"
    mail["X-Chorus-Event"] = delivery.id
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = delivery.language
    mail.set_content(delivery.text)
    return mail


@dataclass
class MailDelivery:
    store: NotifierStore
    settings: Settings

    async def deliver(self) -> None:
        """Send due deliveries. Runs forever.

        After a crash between sending a mail and marking it as sent, the mail is sent again under the same ids. Each turn
        sends mails to residents first and a few to departments, so that many new parts do not delay residents' mails.
        """
        while True:
            due = [
                *await self.store.claim(timestamps.now(), "resident", RESIDENTS_AT_ONCE),
                *await self.store.claim(timestamps.now(), "department", DEPARTMENTS_AT_ONCE),
            ]
            if due:
                await self._send_all(due)
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _send_all(self, due: Sequence[Delivery]) -> None:
        """Send deliveries over one connection; release those that their lease leaves no time for.

        When the mail server cannot be reached, all of them are retried later.
        """
        host, _, port = self.settings.smtp.rpartition(":")
        server = aiosmtplib.SMTP(hostname=host, port=int(port), timeout=SEND_TIMEOUT_S, use_tls=False, start_tls=None)
        waiting = deque(due)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await server.connect()
            async with server:
                while waiting and server.is_connected and lease_covers_a_mail(waiting[0]):
                    await self._send(server, waiting.popleft())
        except (aiosmtplib.SMTPException, OSError) as error:
            # Only the class: the text of an SMTP error may quote an address.
            log.warning("mail server unavailable", smtp=self.settings.smtp, error=type(error).__name__)
            while waiting:
                await self._retry_later(waiting.popleft(), error)
        for delivery in waiting:
            await self.store.release(delivery, timestamps.now())

    async def _send(self, server: aiosmtplib.SMTP, delivery: Delivery) -> None:
        """Send one mail. An error concerns this delivery only: it is retried later or marked as failed."""
        try:
            mail = mail_of(delivery, self.settings.mail_from)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await server.send_message(mail, recipients=[str(delivery.to)])
        # Any error is about this mail. Raised further, it would end the process, and again after each restart.
        except Exception as error:  # noqa: BLE001
            if isinstance(error, CONNECTION_ERRORS):
                server.close()
            await self._handle_error(delivery, error)
        else:
            await self.store.sent(delivery, timestamps.now())
            self._report(delivery, "sent")

    async def _handle_error(self, delivery: Delivery, error: Exception) -> None:
        if is_permanent(error) or timestamps.now() - delivery.noted_at > GIVE_UP_AFTER:
            await self.store.failed(delivery, error_text(error))
            self._report(delivery, "failed")
        else:
            await self._retry_later(delivery, error)

    async def _retry_later(self, delivery: Delivery, error: Exception) -> None:
        pause_s = min(FIRST_PAUSE_S * 2 ** min(delivery.attempts, 10), LONGEST_PAUSE_S)
        await self.store.retry_at(delivery, timestamps.now() + timedelta(seconds=pause_s), error_text(error))
        self._report(delivery, "retried")

    def _report(self, delivery: Delivery, outcome: str) -> None:
        metrics.DELIVERIES.labels(delivery.kind, outcome).inc()
        log.info("mail " + outcome, inquiry_id=delivery.inquiry_id, event_id=delivery.id)


def lease_covers_a_mail(delivery: Delivery) -> bool:
    """Whether there is time for one more mail before the lease ends and another process may send this delivery too."""
    ends_at = delivery.due_at
    return ends_at is not None and timestamps.now() + timedelta(seconds=SEND_TIMEOUT_S + LEASE_SPARE_S) < ends_at


def error_text(error: Exception) -> str:
    """The class and message of an error, for operators."""
    return f"{type(error).__name__}: {error}"


def is_permanent(error: Exception) -> bool:
    """Whether a retry is useless: the server rejects recipient or text with 5xx, or the mail cannot be built.

    Connection errors, 4xx, and a rejected sender address are temporary.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in error.recipients)
    if isinstance(error, (*CONNECTION_ERRORS, aiosmtplib.SMTPSenderRefused)):
        return False
    return not isinstance(error, aiosmtplib.SMTPResponseException) or error.code >= 500
