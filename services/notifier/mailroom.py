"""The mailroom: sends what is due, again and again until the mail server has it or will never take it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from services.notifier.store import LEASE_S, Store
from shared import clock, metrics
from shared.logs import log
from shared.mongo import Document
from shared.settings import Settings

LOOK_EVERY_S = 0.5
RESIDENTS_AT_ONCE = 50
DEPARTMENTS_AT_ONCE = 10
TIMEOUT_S = 20.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
GIVE_UP_AFTER = timedelta(days=3)
UNSENDABLE = (
    aiosmtplib.SMTPResponseException,
    aiosmtplib.SMTPRecipientsRefused,
    aiosmtplib.SMTPNotSupported,
    ValueError,
)
"""What speaks of one mail, not of the server: others go on."""


def mail_of(delivery: Document, sender: str) -> EmailMessage:
    """The mail of a delivery; Message-ID and X-Chorus-Event are the event's id, so that a repeat can be told."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = delivery["to"]
    mail["Subject"] = delivery["subject"]
    mail["Date"] = formatdate(delivery["noted_at"].timestamp())
    mail["Message-ID"] = f"<{delivery['_id']}@{sender.rpartition('@')[2]}>"
    mail["X-Chorus-Event"] = delivery["_id"]
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = delivery["language"]
    mail.set_content(delivery["text"])
    return mail


@dataclass
class Mailroom:
    """Claims deliveries and hands them to the SMTP server."""

    store: Store
    settings: Settings

    async def deliver(self) -> None:
        """Run for ever. Killed between the server's word and ours, a mail goes out again under the same ids.

        Residents come first, then a few departments: a flood of new parts holds up nobody's answer.
        """
        while True:
            due = [
                *await self.store.claim(clock.now(), "resident", RESIDENTS_AT_ONCE),
                *await self.store.claim(clock.now(), "department", DEPARTMENTS_AT_ONCE),
            ]
            if due:
                await self._send_all(due)
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _send_all(self, due: Sequence[Document]) -> None:
        # What is left when the lease runs out is somebody's again: sending it here too would send it twice.
        until = clock.now() + timedelta(seconds=LEASE_S - TIMEOUT_S)
        host, _, port = self.settings.smtp.rpartition(":")
        server = aiosmtplib.SMTP(hostname=host, port=int(port), timeout=TIMEOUT_S, use_tls=False, start_tls=None)
        try:
            async with server:
                for delivery in due:
                    if clock.now() > until:
                        break
                    await self._send(server, delivery)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._all_later(due, error)

    async def _send(self, server: aiosmtplib.SMTP, delivery: Document) -> None:
        try:
            await server.send_message(mail_of(delivery, self.settings.mail_from))
        except UNSENDABLE as refused:
            await self._refused(delivery, refused)
        else:
            await self.store.sent(delivery, clock.now())
            self._count(delivery, "sent")
        delivery["settled"] = True

    async def _refused(self, delivery: Document, refused: Exception) -> None:
        """4xx is tried again later; 5xx, or what cannot be written as a mail, never."""
        if lasting(refused) or clock.now() - delivery["noted_at"] > GIVE_UP_AFTER:
            await self.store.failed(delivery, str(refused))
            self._count(delivery, "failed")
        else:
            await self._later(delivery, refused)

    async def _all_later(self, due: Sequence[Document], error: Exception) -> None:
        log.warning("the mail server is away", extra={"error": repr(error)})
        for delivery in due:
            if not delivery.get("settled"):
                await self._later(delivery, error)

    async def _later(self, delivery: Document, error: Exception) -> None:
        pause_s = min(FIRST_PAUSE_S * 2 ** min(delivery["attempts"], 10), LONGEST_PAUSE_S)
        await self.store.later(delivery, clock.now() + timedelta(seconds=pause_s), str(error))
        self._count(delivery, "retried")

    def _count(self, delivery: Document, outcome: str) -> None:
        metrics.DELIVERIES.labels(delivery["kind"], outcome).inc()
        log.info("mail " + outcome, extra={"inquiry_id": delivery["inquiry_id"], "event": delivery["_id"]})


def lasting(refused: Exception) -> bool:
    """Whether a refusal is for good: a 5xx code, or a mail that cannot even be written for this server."""
    if isinstance(refused, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in refused.recipients)
    if isinstance(refused, aiosmtplib.SMTPResponseException):
        return refused.code >= 500
    return isinstance(refused, (ValueError, aiosmtplib.SMTPNotSupported))
