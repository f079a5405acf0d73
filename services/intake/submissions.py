"""Accepts residents' messages: writes each to the ledger once, with a ticket number and a query code."""

import time
from collections.abc import Sequence
from unicodedata import normalize
from zoneinfo import ZoneInfo

from services.intake import domain
from services.intake.domain import Submission
from shared.city import City
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.fields import Contact
from shared.contracts.resident_inputs import InquiryReceived
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import FieldProblem, Problem, shown
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger, Written
from shared.ledger.numbering import accept_in_free_place
from shared.runtime import metrics, timestamps
from shared.runtime.languages import language_of
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import PyMongoError

SUBMISSIONS_PERIOD_S = 60
SAME_MESSAGES, SAME_MESSAGES_PERIOD_S = 3, 3_600


class SentBefore(Problem):
    """The client has sent the same message several times. Nothing is lost: the earlier ones are registered."""


class Receipt(Documented):
    """The answer to a message that intake has accepted."""

    inquiry_id: str
    """The ticket number."""
    query_code: str
    """The code that opens the ticket, 12 characters; only the resident has it."""
    status_url: str
    """The address that opens the ticket. It contains the query code, so only the resident may have it."""


class Submissions:
    def __init__(self, ledger: Ledger, city: CityFeed[City], settings: Settings, code_secret: bytes) -> None:
        self.ledger = ledger
        self.city = city
        self.settings = settings
        self._secret = code_secret
        self._in_flight: set[str] = set()
        self._submissions = RateLimit(settings.submissions_per_minute, SUBMISSIONS_PERIOD_S)
        self._previews = RateLimit(settings.submissions_per_minute, SUBMISSIONS_PERIOD_S)
        limited = settings.submissions_per_minute > 0
        self._same = RateLimit(SAME_MESSAGES if limited else 0, SAME_MESSAGES_PERIOD_S)

    @property
    def zone(self) -> ZoneInfo:
        return self.city.zone(self.settings)

    def admit(self, client: str) -> None:
        """Count a message of this client. Raises Problem 429 when the client exceeds the limit for a minute."""
        self._admit(self._submissions, client)

    def admit_preview(self, client: str) -> None:
        """Count a preview of this client, with a limit of its own as high as that of messages. Raises Problem 429."""
        self._admit(self._previews, client)

    def _admit(self, limit: RateLimit, client: str) -> None:
        if wait_s := limit.wait_s(client, time.monotonic()):
            raise Problem(
                429,
                f"More than {self.settings.submissions_per_minute} messages in a minute came from your address; "
                f"send yours again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )

    async def receive(
        self,
        given: Submission,
        accept_language: str | None,
        key: str | None,
        trusted: bool,
        client: str | None = None,
    ) -> tuple[Receipt, bool]:
        """Write a message to the ledger. Returns its receipt, and True when it is a repeat.

        With `client`, the same message of one client is accepted SAME_MESSAGES times an hour, then answered 429.

        Raises Problem: 401 for a field that needs the operator's token, 409 while a message with the same key is being
        written, 422 for an unknown department, or for a key that belongs to another message.
        """
        if not trusted and (problems := _untrusted_fields(given)):
            detail = "; ".join(problem.detail for problem in problems)
            raise Problem(401, detail + ".", problems, {"WWW-Authenticate": "Bearer"})
        id_ = _event_id(given, key)
        problems = self._unknown_departments(given.departments)
        # A repeat gets the first answer again, even if one of its departments has been retired since.
        if problems and not await self._known(id_):
            raise Problem(422, "; ".join(problem.detail for problem in problems) + ".", problems)
        limited = client is not None and self._same.most > 0 and (key is None or not await self._known(id_))
        if id_ in self._in_flight:
            raise Problem(409, "A message with this key is being written right now; send it again in a moment.")
        self._in_flight.add(id_)
        same = None
        try:
            if client is not None and limited:
                same = self._count_same(client, given)
            entry, written = await self._write(id_, given, accept_language)
        except PyMongoError:
            if same is not None:
                # Otherwise nobody could send the message for an hour after a short outage of the store.
                self._same.undo(same)
            raise
        finally:
            self._in_flight.discard(id_)
        if written.new:
            metrics.INQUIRIES_RECEIVED.labels(domain.channel_label(given.channel)).inc()
            return self._receipt(entry.inquiry_id), False
        assert written.earlier is not None
        if not entry.repeats(written.earlier):
            name = "external_id" if given.external_id is not None else "Idempotency-Key"
            raise Problem(422, f"This {name} belongs to another message; use a new one for each message.")
        return self._receipt(written.earlier["inquiry_id"]), True

    async def _known(self, id_: str) -> bool:
        return await self.ledger.entries.find_one({"_id": id_}, ["_id"]) is not None

    def _count_same(self, client: str, given: Submission) -> str:
        """Count this message, whatever its spaces and punctuation, and return its key. Raises SentBefore over the limit."""
        words = "".join(filter(str.isalnum, normalize("NFKC", f"{given.subject}\n{given.body}"))).casefold()
        contact = given.contact.model_dump_json() if given.contact else ""
        key = ids.digest(f"{client}\n{contact}\n{words}".encode())
        if wait_s := self._same.wait_s(key, time.monotonic()):
            raise SentBefore(
                429,
                f"You have sent this message {SAME_MESSAGES} times within an hour, and each one is registered; write "
                f"something new, or send it again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        return key

    async def _write(self, id_: str, given: Submission, accept_language: str | None) -> tuple[Entry, Written]:
        fingerprint = domain.fingerprint(given)

        async def entry() -> Entry:
            now = timestamps.now()
            message = InquiryReceived(
                inquiry_id=ids.new_inquiry_id(now.astimezone(self.zone).date()),
                subject=given.subject,
                body=given.body,
                channel=given.channel,
                area=given.area,
                contact=Contact(**given.contact.model_dump()) if given.contact else None,
                departments=given.departments,
                public=given.public,
                confidential=given.confidential,
                language=given.language or language_of(accept_language),
                received_at=now,
            )
            return Entry(
                id=id_,
                inquiry_id=message.inquiry_id,
                n=0,
                type=message.type,
                recorded_at=now,
                value=message.model_dump_json(),
                fingerprint=fingerprint,
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        return await accept_in_free_place(self.ledger, entry)

    def _unknown_departments(self, codes: Sequence[str]) -> list[FieldProblem]:
        """Codes that are unknown or retired. Empty before intake has seen a city: triage then handles such codes."""
        city = self.city.city
        if city is None:
            return []
        known = {department.code for department in city.active}
        return [
            FieldProblem(
                pointer=f"/departments/{place}",
                detail=f"departments[{place}] {shown(code)} is not a department here; choose one from the list, or leave it out",
            )
            for place, code in enumerate(codes)
            if code not in known
        ]

    def _receipt(self, inquiry_id: str) -> Receipt:
        code = ids.query_code(self._secret, inquiry_id)
        status_url = f"{self.settings.public_url}/status?ticket={inquiry_id}&code={code}"
        return Receipt(inquiry_id=inquiry_id, query_code=code, status_url=status_url)


def _untrusted_fields(given: Submission) -> list[FieldProblem]:
    """The fields that need the operator's token."""
    wrong = {}
    if given.channel not in domain.OPEN_CHANNELS:
        known = ", ".join(domain.OPEN_CHANNELS)
        wrong["channel"] = f"{shown(given.channel)} needs the operator's token; send it, or write one of {known}"
    if given.external_id is not None:
        wrong["external_id"] = (
            f"{shown(given.external_id)} needs the operator's token; send it, or leave external_id out"
        )
    return [FieldProblem(pointer=f"/{name}", detail=f"{name} {detail}") for name, detail in wrong.items()]


def _event_id(given: Submission, key: str | None) -> str:
    """The id of the message: derived from `external_id` or the key, so that a repeat has the same one; else random."""
    if given.external_id is not None:
        return ids.named_id(f"external/{given.channel}/{given.external_id}")
    return ids.named_id(f"key/{key}") if key else ids.new_event_id()
