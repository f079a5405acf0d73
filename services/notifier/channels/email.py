"""The mailroom: sends what is due, again and again until the mail server has it or will never take it."""

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
MAIL_S = 20.0
SPARE_S = 10.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
GIVE_UP_AFTER = timedelta(days=3)
HUNG_UP = (OSError, aiosmtplib.SMTPHeloError)
"""What ends a connection, whatever the mail was."""


def mail_of(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail of a delivery; Message-ID and X-Chorus-Event are the event's id, so that a repeat can be told.

    Raises ValueError when the words are gone already, and for an address that a header would not carry as it is: `=?`
    begins an encoded word, which would be decoded into another recipient or, in a subject, into headers of its own.
    """
    if delivery.subject is None or delivery.text is None or delivery.to is None:
        raise ValueError("The mail has no words.")
    name, _, domain = delivery.to.rpartition("@")
    if "=?" in delivery.to:
        raise ValueError("An encoded word is no address.")
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = Address(username=name, domain=domain)
    if [one.addr_spec for one in mail["To"].addresses] != [delivery.to]:
        raise ValueError("The address would be read as another one.")
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
    """Claims deliveries and hands them to the SMTP server."""

    store: NotifierStore
    settings: Settings

    async def deliver(self) -> None:
        """Run for ever. Killed between the server's word and ours, a mail goes out again under the same ids.

        Residents come first, then a few departments: a flood of new parts holds up nobody's answer.
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
        """Over one connection. What it does not come to is given back; a server that is away puts everything off."""
        host, _, port = self.settings.smtp.rpartition(":")
        server = aiosmtplib.SMTP(hostname=host, port=int(port), timeout=MAIL_S, use_tls=False, start_tls=None)
        waiting = deque(due)
        try:
            async with asyncio.timeout(MAIL_S):
                await server.connect()
            async with server:
                while waiting and server.is_connected and in_time(waiting[0]):
                    await self._send(server, waiting.popleft())
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("the mail server is away", error=type(error).__name__)
            while waiting:
                await self._later(waiting.popleft(), error)
        for delivery in waiting:
            await self.store.give_back(delivery, timestamps.now())

    async def _send(self, server: aiosmtplib.SMTP, delivery: Delivery) -> None:
        """A server that hangs up or falls silent over one mail puts off that one: the others go without it."""
        try:
            mail = mail_of(delivery, self.settings.mail_from)
            async with asyncio.timeout(MAIL_S):
                await server.send_message(mail, recipients=[str(delivery.to)])
        # Whatever one mail raises speaks of that mail: let through, it would end the process after every start.
        except Exception as refused:  # noqa: BLE001
            if isinstance(refused, HUNG_UP):
                server.close()
            await self._refused(delivery, refused)
        else:
            await self.store.sent(delivery, timestamps.now())
            self._count(delivery, "sent")

    async def _refused(self, delivery: Delivery, refused: Exception) -> None:
        if lasting(refused) or timestamps.now() - delivery.noted_at > GIVE_UP_AFTER:
            await self.store.failed(delivery, in_words(refused))
            self._count(delivery, "failed")
        else:
            await self._later(delivery, refused)

    async def _later(self, delivery: Delivery, error: Exception) -> None:
        pause_s = min(FIRST_PAUSE_S * 2 ** min(delivery.attempts, 10), LONGEST_PAUSE_S)
        await self.store.later(delivery, timestamps.now() + timedelta(seconds=pause_s), in_words(error))
        self._count(delivery, "retried")

    def _count(self, delivery: Delivery, outcome: str) -> None:
        metrics.DELIVERIES.labels(delivery.kind, outcome).inc()
        log.info("mail " + outcome, inquiry_id=delivery.inquiry_id, event_id=delivery.id)


def in_time(delivery: Delivery) -> bool:
    """Whether its claim lasts for one more mail: what is sent after that, somebody else may be sending too."""
    ends_at = delivery.due_at
    return ends_at is not None and timestamps.now() + timedelta(seconds=MAIL_S + SPARE_S) < ends_at


def in_words(error: Exception) -> str:
    """An error as operators read it."""
    return f"{type(error).__name__}: {error}"


def lasting(refused: Exception) -> bool:
    """Whether it is for good: a 5xx for this recipient or these words, or what cannot even be made a mail here.

    4xx, and what speaks of the connection or of our own address, is tried again.
    """
    if isinstance(refused, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in refused.recipients)
    if isinstance(refused, (*HUNG_UP, aiosmtplib.SMTPSenderRefused)):
        return False
    return not isinstance(refused, aiosmtplib.SMTPResponseException) or refused.code >= 500
