"""Reads cases for the desk: the list, and a case with its parts, timeline and decisions."""

import json
from collections.abc import Sequence
from typing import Any

from services.router.desk.asking_responses import additions_shown, part_waits, questions_shown
from services.router.desk.case_filters import CaseFilter
from services.router.desk.case_search import CaseSearch, SearchPage
from services.router.desk.department_view import as_the_department_sees, has_part
from services.router.desk.release_audit import audit_of
from services.router.desk.returned_before import returned_before
from services.router.domain import facts
from services.router.domain.case import Case, Inquiry
from services.router.domain.decision import Decision, case_of
from services.router.domain.outputs.resident import change_fields
from services.router.domain.reply import AnsweredRound, JointReply, RoundRating
from services.router.domain.staff import StaffUser
from services.router.files.case_files import CaseFiles
from services.router.stores.store import RouterStore
from shared.contracts.erasure_dates import ErasureDates, erasure_dates
from shared.http.problems import Problem, shown
from shared.http.query_fields import unknown_place
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Document

ROW_FIELDS = (
    "sequence",
    "updated_at",
    "state",
    "lead",
    "departments",
    "part_states",
    "channel",
    "received_at",
    "area",
    "reported_at",
    "unrated",
)
"""The fields of a row that the list shows as they are."""


class CaseQueries:
    def __init__(self, store: RouterStore, settings: Settings, files: CaseFiles | None = None) -> None:
        self.store = store
        self.settings = settings
        self.files = files
        self.search = CaseSearch(store)

    async def page(self, wanted: CaseFilter, after: str | None, limit: int, who: StaffUser) -> dict[str, Any]:
        """The fields of `CasePage`: cases that meet the filter, the message received last first, after the case `after`.

        Raises Problem 404 for an unknown `after`.
        """
        query = wanted.query(who.department, timestamps.now())
        before = await self._place(after, who.department) if after else None
        found = await self._found(wanted, query, before, limit, who)
        subjects = await self.store.decisions.subjects([row["_id"] for row in found.rows])
        cases = [listed(row, who.department) | {"subject": subjects.get(row["_id"])} for row in found.rows]
        return {"cases": cases, "next": found.next}

    async def _found(
        self, wanted: CaseFilter, query: Document, before: str | None, limit: int, who: StaffUser
    ) -> SearchPage:
        if wanted.words is None:
            rows = await self.store.cases.newest(query, before, limit + 1)
            return SearchPage(rows[:limit], rows[limit - 1]["_id"] if len(rows) > limit else None)
        if wanted.inquiry_id is not None and (row := await self.store.cases.row(wanted.inquiry_id)) is not None:
            # The words of a ticket number are looked for in texts only when there is no such case for this user.
            mine = who.department is None or who.department in row.get("departments", ())
            if mine:
                rows = list((await self.store.cases.among([wanted.inquiry_id], query)).values())
                return SearchPage(rows if before is None else [])
        return await self.search.page(wanted.words, query, before, limit, who)

    async def _place(self, after: str, only: str | None) -> str:
        """The place of this case; with `only`, of a case that this department has or had a part of. Raises Problem 404.

        A department may return its part of the last case of a page while its user reads that page.
        """
        row = await self.store.cases.row(after)
        if row is not None and only is not None:
            case = case_of(after, await self.store.decisions.of(after))
            row = row if any(part.department == only for part in case.parts.values()) else None
        if row is None:
            raise unknown_place(after)
        return str(row.get("place", ""))

    async def case(self, inquiry_id: str, who: StaffUser) -> dict[str, Any]:
        """The fields of `CaseShown`, as this user's department sees the case. Raises Problem 404, also when it has no part."""
        only = who.department
        decisions = await self.store.decisions.of(inquiry_id)
        # Folded from the store, because the cached case may be outdated: another process may have decided since.
        case = case_of(inquiry_id, decisions)
        if not decisions or (only and not has_part(case, only)):
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        returned = returned_before(case, decisions)
        whole = {
            "inquiry_id": inquiry_id,
            "state": case.state,
            "round": case.round,
            "inquiry": inquiry_shown(case.inquiry) if case.inquiry else None,
            "lead": case.lead,
            "co_handlers": case.co_handlers,
            "parts": [
                {
                    "part_id": p.id,
                    "department": p.department,
                    "role": p.role,
                    "state": p.state,
                    "due": p.due,
                    "text": p.text.text if p.text else p.draft,
                    "returned": returned.get(p.id, ()),
                    "omitted": p.omitted,
                    "parent": p.parent,
                    "instructions": p.instructions.text if p.parent and p.instructions else None,
                    "round": p.round,
                    **part_waits(p),
                }
                for p in case.parts.values()
            ],
            "files": await self.files.shown(case) if self.files is not None else [],
            "questions": questions_shown(case),
            "additions": additions_shown(case),
            "reply": reply_shown(case, main_reply(case)),
            "addenda": [one for one in (reply_shown(case, reply) for reply in addenda_of(case)) if one],
            "rounds": rounds_shown(case),
            "released": reply_shown(case, case.released),
            "audit": audit_of(decisions),
            "links": [*case.links, *await self.store.cases.linked_to(inquiry_id)],
            "erasure": self._erasure(decisions),
            "timeline": [line for one in decisions for line in timeline(one)],
            "decisions": [summary(one) for one in decisions],
        }
        return as_the_department_sees(whole, case, only, who) if only else whole

    def _erasure(self, decisions: Sequence[Decision]) -> ErasureDates | None:
        """When the case was erased, and when the last copies of its words are gone; None for other cases."""
        for one in decisions:
            if any(isinstance(fact, facts.CaseErased) for fact in one.facts):
                at = timestamps.from_text(one.decided_at)
                return erasure_dates(at, self.settings.retention_days, self.settings.backups_kept_days)
        return None


def listed(row: Document, only: str | None) -> dict[str, Any]:
    """The fields of `CaseRow` without the subject; with `only`, the due time is of this department's parts."""
    due = [one["due_at"] for one in row.get("parts", ()) if one["due_at"] and only in (None, one["department"])]
    shown = {name: row[name] for name in ROW_FIELDS if name in row}
    return {"inquiry_id": row["_id"], **shown, "due_at": min(due, default=None)}


def main_reply(case: Case) -> JointReply | None:
    """The newest version of the joint reply, which is not an addendum."""
    return case.released if case.reply is not None and case.reply.addendum else case.reply


def addenda_of(case: Case) -> list[JointReply]:
    """The addenda of the round, oldest first; the last one may still wait for its release."""
    waiting = [case.reply] if case.reply is not None and case.reply.addendum and not case.reply_is_released else []
    return [*(one.reply for one in case.addenda_of_round), *waiting]


def reply_shown(case: Case, reply: JointReply | None) -> dict[str, Any] | None:
    """The fields of `JointReplyShown`; None before a reply is composed, and when its words are erased."""
    if reply is None or not reply.text.text:
        return None
    return {
        "reply_id": reply.id,
        "version": reply.version,
        "sha256": reply.sha256,
        "text": reply.text.text,
        "paragraphs": [
            {"part_id": one.part_id, "department": one.department, "name": one.name, "text": one.text.text}
            for one in reply.paragraphs
        ],
        "opening": reply.frame.opening.text if reply.frame.opening else None,
        "closing": reply.frame.closing.text if reply.frame.closing else None,
        "files": reply.files,
        "retracted": [
            one.part_id for one in reply.paragraphs if case.is_released(reply) and one.part_id in case.retracted
        ],
        "changes": [{**change_fields(one), "part_id": one.part_id} for one in case.changes if one.round == reply.round],
        "state": "released" if case.is_released(reply) else "refused" if case.outdated else "awaiting-release",
    }


def rounds_shown(case: Case) -> list[dict[str, Any]]:
    """The fields of `AnsweredRoundShown` for each round that is answered; without the text when it is erased."""
    answered = list(case.earlier)
    if case.released is not None and case.is_answered:
        answered.append(AnsweredRound(case.round, case.released_at, case.released, case.addenda_of_round))
    ratings = {one.round: one for one in case.ratings}
    return [
        {
            "round": one.round,
            "answered_at": one.answered_at,
            "reply_id": one.reply.id,
            "text": one.text if one.reply.text.text else None,
            "rating": rating_shown(ratings[one.round]) if one.round in ratings else None,
        }
        for one in answered
    ]


def rating_shown(rating: RoundRating) -> dict[str, Any]:
    words = rating.words.text if rating.words else None
    return {"solved": rating.solved, "satisfied": rating.satisfied, "words": words or None}


def timeline(decision: Decision) -> list[dict[str, Any]]:
    """The fields of `EventShown` for each event of a decision."""
    return [
        {
            "sequence": message.sequence,
            "at": message.origin.recorded_at,
            "type": message.type,
            "id": message.id,
            "data": json.loads(message.value),
        }
        for message in decision.messages
        if message.topic == topics.EVENTS
    ]


def inquiry_shown(inquiry: Inquiry) -> dict[str, Any]:
    contact = inquiry.contact.model_dump() if inquiry.contact else None
    texts = {"subject": inquiry.subject.text, "body": inquiry.body.text, "contact": contact}
    return inquiry._asdict() | texts


def summary(decision: Decision) -> dict[str, Any]:
    """The fields of `DecisionShown`: messages are without their values."""
    refused = decision.refused
    return {
        "inquiry_id": decision.inquiry_id,
        "n": decision.n,
        "cause": decision.cause,
        "type": decision.type,
        "digest": decision.digest,
        "at": decision.at._asdict(),
        "actor": decision.actor.public,
        "user": decision.user,
        "salt": decision.salt.hex() if decision.salt else None,
        "decided_at": decision.decided_at,
        "revision": decision.revision,
        "refusal": refused._asdict() if refused else None,
        "facts": [json.loads(one) for one in decision.events],
        "head": decision.head,
        "words": dict(decision.words),
        "messages": [{"topic": one.topic, "type": one.type, "id": one.id} for one in decision.messages],
    }
