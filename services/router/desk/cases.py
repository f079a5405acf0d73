"""Reads cases for the desk: the list, and a case with its parts, timeline and decisions."""

import json
from collections.abc import Sequence
from typing import Any

from services.router.desk.asking_responses import additions_shown, part_waits, questions_shown
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
from services.router.stores.case_rows import HAS_OPEN_PART
from services.router.stores.store import RouterStore
from shared.contracts.erasure_dates import ErasureDates, erasure_dates
from shared.http.problems import Problem, shown
from shared.http.query_fields import unknown_place
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings


class CaseQueries:
    def __init__(self, store: RouterStore, settings: Settings, files: CaseFiles | None = None) -> None:
        self.store = store
        self.settings = settings
        self.files = files

    async def page(
        self,
        state: str | None,
        department: str | None,
        after: str | None,
        limit: int,
        *,
        only: str | None = None,
        has_open: bool = False,
        reported: bool = False,
    ) -> dict[str, Any]:
        """The fields of `CasePage`: cases in the order of their inquiry ids, after `after`.

        `only`: cases with a part of this department, as its users see. `has_open`: cases with an open part. `reported`:
        cases whose entry in the hall a reader has reported since the last decision about it. Raises Problem 404 for an
        unknown `after`.
        """
        query: dict[str, Any] = {}
        if state:
            query["state"] = state
        if has_open:
            query["$or"] = HAS_OPEN_PART
        if reported:
            query["reported_at"] = {"$exists": True, "$ne": None}
        if only and department and only != department:
            query["$and"] = [{"departments": only}, {"departments": department}]
        elif only or department:
            query["departments"] = only or department
        if after:
            if not await self._has_place(after, only):
                raise unknown_place(after)
            query["_id"] = {"$gt": after}
        rows = await self.store.cases.page(query, limit + 1)
        subjects = await self.store.decisions.subjects([row["_id"] for row in rows])
        cases = [
            {name: value for name, value in row.items() if name != "_id"}
            | {"inquiry_id": row["_id"], "subject": subjects.get(row["_id"])}
            for row in rows[:limit]
        ]
        return {"cases": cases, "next": cases[-1]["inquiry_id"] if len(rows) > limit else None}

    async def _has_place(self, after: str, only: str | None) -> bool:
        """Whether a page may have ended with this case; with `only`, a case that this department has or had a part of.

        A department may return its part of the last case of a page while its user reads that page.
        """
        if not await self.store.cases.page({"_id": after}, 1):
            return False
        if only is None:
            return True
        case = case_of(after, await self.store.decisions.of(after))
        return any(part.department == only for part in case.parts.values())

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
