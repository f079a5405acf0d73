"""The reception: takes what residents write into the ledger, and shows them what became of it."""

import json
import time
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.intake import domain
from services.intake.domain import RatingGiven, Submission
from services.intake.store import IntakeStore
from shared.city import City
from shared.contracts import ids
from shared.contracts.fields import Contact
from shared.contracts.inputs import InquiryRated, InquiryReceived
from shared.http.problems import FieldProblem, Problem, shown
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger, Written
from shared.runtime import metrics, timestamps
from shared.runtime.languages import language_of
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed

SOURCE = "chorus/intake"
WRONG_CODES = 10
WRONG_CODES_PERIOD_S = 600
SUBMISSIONS_PERIOD_S = 60
UNKNOWN = "There is no such ticket, or the code is not its code."


class Receipt(BaseModel):
    """The answer to a message: its ticket number, the code that opens it, and where to look."""

    inquiry_id: str
    query_code: str
    status_url: str


class Acknowledged(BaseModel):
    """The answer to whatever comes later."""

    event_id: str


class Reception:
    """What intake's routes and pages do."""

    def __init__(
        self, store: IntakeStore, ledger: Ledger, city: CityFeed[City], settings: Settings, code_secret: bytes
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.city = city
        self.settings = settings
        self._secret = code_secret
        self._in_flight: set[str] = set()
        self._wrong = RateLimit(WRONG_CODES, WRONG_CODES_PERIOD_S)
        self._submissions = RateLimit(settings.submissions_per_minute, SUBMISSIONS_PERIOD_S)

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return self.city.zone(self.settings)

    # ── writing in ───────────────────────────────────────────────────────────

    def admit(self, client: str) -> None:
        """Count one more message from there. Raises Problem 429 when it is one too many in this minute."""
        if wait_s := self._submissions.wait_s(client, time.monotonic()):
            raise Problem(
                429,
                f"More than {self.settings.submissions_per_minute} messages in a minute came from where you are; "
                f"send yours again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )

    async def receive(
        self, given: Submission, accept_language: str | None, key: str | None, trusted: bool
    ) -> tuple[Receipt, bool]:
        """Take a message durably; True when it is a repeat of one that was taken before.

        Raises Problem: 401 an `external_id` without a channel's token, 409 the same key still in flight,
        422 an unknown department, or a key that belongs to another body.
        """
        if given.external_id is not None and not trusted:
            detail = (
                f"external_id {shown(given.external_id)} needs a channel's token; send it, or leave external_id out"
            )
            raise Problem(
                401, detail + ".", [FieldProblem(pointer="/external_id", detail=detail)], {"WWW-Authenticate": "Bearer"}
            )
        id_ = _event_id(given, key)
        problems = self._unknown_departments(given.departments)
        # A repeat of what was taken gets its answer, whatever has become of the departments since.
        if problems and not await self.ledger.entries.find_one({"_id": id_}):
            raise Problem(422, "; ".join(problem.detail for problem in problems) + ".", problems)
        if id_ in self._in_flight:
            raise Problem(409, "A message with this key is being taken right now; ask again in a moment.")
        self._in_flight.add(id_)
        try:
            entry, written = await self._write(id_, given, accept_language)
        finally:
            self._in_flight.discard(id_)
        if written.new:
            metrics.INQUIRIES_RECEIVED.labels(domain.channel_label(given.channel)).inc()
            return self._receipt(entry.inquiry_id), False
        assert written.earlier is not None
        if written.earlier["fingerprint"] != entry.fingerprint:
            name = "external_id" if given.external_id is not None else "Idempotency-Key"
            raise Problem(422, f"This {name} belongs to another message; use one of its own for each message.")
        return self._receipt(written.earlier["inquiry_id"]), True

    async def _write(self, id_: str, given: Submission, accept_language: str | None) -> tuple[Entry, Written]:
        fingerprint = domain.fingerprint(given)
        while True:
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
            entry = Entry(
                id=id_,
                inquiry_id=message.inquiry_id,
                n=0,
                type=message.type,
                recorded_at=now,
                value=message.model_dump_json(),
                fingerprint=fingerprint,
                source=SOURCE,
            )
            written = await self.ledger.accept(entry)
            if written.new or written.earlier:
                return entry, written

    def _unknown_departments(self, codes: Sequence[str]) -> list[FieldProblem]:
        """An unknown or retired code is 422; while no directory has ever been seen, triage sorts it out."""
        city = self.city.city
        if city is None:
            return []
        known = {department.code for department in city.active}
        return [
            FieldProblem(
                pointer=f"/departments/{place}",
                detail=f"departments[{place}] {shown(code)} is no department here; choose from the list, or leave it out",
            )
            for place, code in enumerate(codes)
            if code not in known
        ]

    def _receipt(self, inquiry_id: str) -> Receipt:
        return Receipt(
            inquiry_id=inquiry_id,
            query_code=ids.query_code(self._secret, inquiry_id),
            status_url=f"{self.settings.public_url}/inquiries/{inquiry_id}",
        )

    # ── looking ──────────────────────────────────────────────────────────────

    async def ticket(self, inquiry_id: str, code: str | None) -> dict[str, Any]:
        """What the holder of the code sees; a wrong code looks like an unknown ticket. Raises Problem 404 or 429."""
        entries = await self._opened(inquiry_id, code)
        received = json.loads(entries[0]["value"])
        rated = [json.loads(one["value"])["round"] for one in entries if one["type"] == InquiryRated.type]
        told = await self.store.told(inquiry_id)
        return domain.ticket(received, timestamps.to_text(entries[0]["recorded_at"]), told, rated)

    async def _opened(self, inquiry_id: str, code: str | None) -> list[dict[str, Any]]:
        """The ledger's entries of a ticket, for whoever holds its code. A right code is never limited."""
        right = bool(ids.INQUIRY_ID.fullmatch(inquiry_id)) and ids.same_code(
            code or "", ids.query_code(self._secret, inquiry_id)
        )
        entries = await self.ledger.of(inquiry_id) if right else []
        if not entries:
            self._count_wrong(inquiry_id)
            raise Problem(404, UNKNOWN)
        return entries

    def _count_wrong(self, inquiry_id: str) -> None:
        """Too many wrong codes for one ticket, existing or not: 429."""
        if wait_s := self._wrong.wait_s(inquiry_id, time.monotonic()):
            raise Problem(
                429,
                f"Too many wrong codes for this ticket; try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )

    # ── rating ───────────────────────────────────────────────────────────────

    async def rate(self, inquiry_id: str, code: str | None, given: RatingGiven) -> Acknowledged:
        """Take a rating of an answered round, once; the same rating again gives the same answer. Raises Problem 409."""
        seen = await self.ticket(inquiry_id, code)
        if seen["reply"] is None or given.round != seen["round"]:
            raise Problem(
                409,
                f"Round {given.round} has no answer to rate; the ticket is {seen['state']}, in round {seen['round']}.",
            )
        value = InquiryRated(inquiry_id=inquiry_id, **given.model_dump()).model_dump_json()
        while True:
            entry = Entry(
                id=ids.named_id(f"rating/{inquiry_id}/{given.round}"),
                inquiry_id=inquiry_id,
                n=len(await self.ledger.of(inquiry_id)),
                type=InquiryRated.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=domain.fingerprint(given),
                source=SOURCE,
            )
            written = await self.ledger.accept(entry)
            if written.earlier and written.earlier["fingerprint"] != entry.fingerprint:
                raise Problem(409, f"Round {given.round} is rated already; a rating stands once it is given.")
            if written.new or written.earlier:
                return Acknowledged(event_id=entry.id)


def _event_id(given: Submission, key: str | None) -> str:
    """The id that makes a repeat recognisable: from the channel's own id, else from the key, else new."""
    if given.external_id is not None:
        return ids.named_id(f"external/{given.channel}/{given.external_id}")
    return ids.named_id(f"key/{key}") if key else ids.new_event_id()
