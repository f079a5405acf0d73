"""Decides what becomes of a mail: an addition to a ticket, a new message, or nothing; confirmed once it is stored."""

import asyncio
import hmac
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.intake.additions import Additions
from services.intake.domain import AdditionGiven, ContactGiven, Submission
from services.intake.mail.letters import addition_text, language_of_text, subject_and_body
from services.intake.mail.mail_files import TakenFiles, kept_original, take_files
from services.intake.mail.parsing import ParsedMail, UnreadableMail, parse
from services.intake.mail.quotes import without_quotes
from services.intake.mail.sent_texts import sent_lines
from services.intake.mail.signatures import SenderProof
from services.intake.mail_store import KeptFile, MailStore
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.channels.reply_address import is_mailbox, ticket_of
from shared.contracts import ids
from shared.contracts.limits import ADDITION_MAX, BODY_MAX
from shared.contracts.resident_inputs import InquiryReceived
from shared.files.worker import CleaningUnavailable
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.kafka.failures import DependencyUnavailable
from shared.ledger.relay import erased
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.store.mongo import PyMongoError

CHANNEL = "email"
PERIOD_S = 3_600
NAMED = re.compile(r"\b(\d{8}-[0-9A-HJKMNP-TV-Z]{8})\b", re.IGNORECASE)
KEPT, LATER, REFUSED = "250 2.0.0 Kept", "451 4.3.0", "554 5.6.0"


class MailReply(NamedTuple):
    """The answer to the sending server, and what became of the mail, for the metric."""

    text: str
    outcome: str


@dataclass(frozen=True)
class Claim:
    """The ticket that a mail names. `proven`: its sender is the resident of the ticket."""

    inquiry_id: str
    proven: bool


class MailIntake:
    def __init__(
        self,
        store: MailStore,
        submissions: Submissions,
        tickets: Tickets,
        settings: Settings,
        secret: bytes,
        proof: SenderProof | None = None,
    ) -> None:
        self.store = store
        self.submissions = submissions
        self.tickets = tickets
        self.additions = Additions(tickets)
        self.settings = settings
        self.secret = secret
        self.proof = proof or SenderProof()
        self._senders = RateLimit(settings.mail_in_per_address_per_hour, PERIOD_S)

    @property
    def mailbox(self) -> str:
        return self.settings.mail_in or ""

    async def take(self, content: bytes, return_path: str, recipients: Sequence[str]) -> MailReply:
        """Take a mail; safe to repeat. The answer 250 says that it is stored, or that no person wrote it.

        With 4xx the sending server keeps the mail and sends it again, with 5xx it tells the sender.
        """
        try:
            reply = await self._take(content, return_path, recipients)
        except UnreadableMail as error:
            reply = MailReply(f"{REFUSED} {error}", "refused")
        except (PyMongoError, DependencyUnavailable, CleaningUnavailable) as error:
            log.warning("a mail cannot be stored now", error=type(error).__name__)
            # Otherwise a short outage of the store would use up the limit of those who send again.
            self._senders.undo(return_path.casefold())
            reply = MailReply(f"{LATER} It cannot be stored now; send the mail again later.", "deferred")
        metrics.MAILS_RECEIVED.labels(reply.outcome).inc()
        return reply

    async def _take(self, content: bytes, return_path: str, recipients: Sequence[str]) -> MailReply:
        parsed = await asyncio.to_thread(parse, content)
        if not return_path or parsed.automatic is not None or (parsed.sender and self._is_own(parsed.sender)):
            return MailReply(KEPT, "ignored")
        key = hmac.digest(self.secret, f"chorus/mail/{parsed.message_id}/{parsed.digest}".encode(), "sha256").hex()
        id_ = ids.named_id(f"mail/{key}")
        if (earlier := await self.store.get(id_)) is not None and "event_id" in earlier:
            return MailReply(KEPT, "repeated")
        if self._senders.wait_s(return_path.casefold(), time.monotonic()):
            return MailReply(
                "451 4.7.1 Too many mails from this address within an hour; send it again later.", "limited"
            )
        claim = await self._claim(parsed, content, recipients)
        if await self._was_stored(id_, key, claim):
            return MailReply(KEPT, "repeated")
        taken = await take_files(self.submissions.files, parsed.attachments)
        files = [KeptFile(one.name, one.media_type) for one in parsed.attachments]
        await self.store.add(id_, kept_original(content, parsed), files, timestamps.now())
        try:
            if claim is not None and claim.proven:
                for some in (taken, taken.without()) if taken.ids else (taken,):
                    if reply := await self._add(claim.inquiry_id, id_, parsed, key, some):
                        return reply
            return await self._register(parsed, id_, key, return_path, claim, taken)
        except Problem as problem:
            return _refusal(problem)

    async def _was_stored(self, id_: str, key: str, claim: Claim | None) -> bool:
        """Whether the ledger has the mail already: a process has died before it could say so beside the original."""
        names = [f"key/{key}", *([f"addition/{claim.inquiry_id}/{key}"] if claim else [])]
        for event_id in map(ids.named_id, names):
            entry = await self.tickets.ledger.entries.find_one({"_id": event_id}, ["inquiry_id"])
            if entry is not None:
                await self._assigned(id_, entry["inquiry_id"], event_id)
                return True
        return False

    def _is_own(self, address: str) -> bool:
        own = (self.mailbox, self.settings.mail_from, self.settings.mail_reply_to or "")
        return any(one and is_mailbox(_bare(one), address) for one in own)

    async def _claim(self, parsed: ParsedMail, content: bytes, recipients: Sequence[str]) -> Claim | None:
        """The ticket that the mail is about, proven by our reply address, or by the signature of the resident's domain."""
        by_address = ticket_of(self.secret, self.mailbox, (*recipients, *parsed.recipients))
        if by_address is not None:
            return Claim(by_address, True)
        inquiry_id = _named_in(parsed)
        if inquiry_id is None:
            return None
        # Checked before the ticket is looked at, so that the time of the answer tells nothing about the ticket.
        signed = parsed.sender is not None and await self.proof.holds(content, parsed.sender)
        is_residents = signed and await self._is_residents(inquiry_id, parsed.sender or "")
        return Claim(inquiry_id, is_residents)

    async def _is_residents(self, inquiry_id: str, sender: str) -> bool:
        entries = await self.tickets.ledger.of(inquiry_id)
        if not entries or erased(entries[0]):
            return False
        contact = InquiryReceived.model_validate_json(entries[0]["value"]).contact
        return contact is not None and (contact.email or "").casefold() == sender.casefold()

    async def _add(
        self, inquiry_id: str, id_: str, parsed: ParsedMail, key: str, files: TakenFiles
    ) -> MailReply | None:
        """Add the words of a reply to its ticket; None when the ticket takes no such addition now."""
        code = ids.query_code(self.secret, inquiry_id)
        try:
            ticket = await self.tickets.ticket(inquiry_id, code)
        except Problem:
            return None
        updates = await self.tickets.store.updates(inquiry_id)
        sent = sent_lines(ticket, [one.text for one in updates], self.submissions.city.city, self.settings)
        words = without_quotes(parsed.text, sent)
        text = addition_text(words, parsed, ticket.language, files)
        if not text:
            return MailReply(KEPT, "ignored")
        if len(text) > ADDITION_MAX:
            return None
        try:
            done = await self.additions.add(inquiry_id, code, AdditionGiven(text=text, files=files.ids), key)
        except Problem as problem:
            # 422: the ticket has as many files as it may have.
            if problem.status in (404, 409) or (problem.status == 422 and files.ids):
                return None
            raise
        await self._assigned(id_, inquiry_id, done.event_id)
        return MailReply(KEPT, "addition")

    async def _register(
        self, parsed: ParsedMail, id_: str, key: str, return_path: str, claim: Claim | None, files: TakenFiles
    ) -> MailReply:
        """Write a new message; one that names a ticket goes to triage, and its sender learns nothing about that ticket."""
        language = language_of_text(f"{parsed.subject}\n{parsed.text}")
        subject, body = subject_and_body(parsed, language, files)
        if not body:
            raise UnreadableMail("The mail has no words: write what it is about.")
        if len(body) > BODY_MAX:
            raise UnreadableMail(f"The text has {len(body)} characters; at most {BODY_MAX} are accepted: shorten it.")
        given = Submission(
            subject=subject,
            body=body,
            channel=CHANNEL,
            contact=_contact(parsed, return_path),
            language=language,
            refers_to=claim.inquiry_id if claim else None,
            files=files.ids,
        )
        receipt, _ = await self.submissions.receive(given, None, key, trusted=True)
        await self._assigned(id_, receipt.inquiry_id, ids.named_id(f"key/{key}"))
        return MailReply(KEPT, "triage" if claim else "inquiry")

    async def _assigned(self, id_: str, inquiry_id: str, event_id: str) -> None:
        await self.store.assign(id_, inquiry_id, event_id)
        if await self.tickets.store.erased(inquiry_id):
            # The erasure may have run between the two writes.
            await self.store.erase(inquiry_id)

    async def forget_unassigned(self) -> None:
        """Delete mails that became part of nothing. Runs forever."""
        while True:
            await self.store.forget_unassigned(timestamps.now())
            await asyncio.sleep(PERIOD_S)


def _named_in(parsed: ParsedMail) -> str | None:
    """The ticket number in the subject, else in what the mail replies to: the root of our threads has its number."""
    for text in (parsed.subject, *parsed.references):
        if found := NAMED.search(text):
            return found[1].upper()
    return None


def _contact(parsed: ParsedMail, return_path: str) -> ContactGiven | None:
    for email in filter(None, (parsed.sender, return_path)):
        try:
            return ContactGiven(name=parsed.sender_name, email=email)
        except ValueError:
            continue
    return None


def _bare(setting: str) -> str:
    return setting.rpartition("<")[2].rstrip("> ").strip()


def _refusal(problem: Problem) -> MailReply:
    if problem.status in (409, 429, 503):
        return MailReply(f"{LATER} Send the mail again later.", "deferred")
    return MailReply(f"{REFUSED} The mail cannot be registered.", "refused")
