"""Cases as the desk shows them: a page of the list, one case with its facts, decisions without words."""

import json
from typing import Any

from services.router.domain.case import Inquiry
from services.router.domain.decision import Decision, case_of
from services.router.stores.store import RouterStore
from shared.http.problems import Problem, shown
from shared.kafka import topics


class CaseQueries:
    """Reads cases for the desk's routes."""

    def __init__(self, store: RouterStore) -> None:
        self.store = store

    async def page(self, state: str | None, department: str | None, after: str | None, limit: int) -> dict[str, Any]:
        """One page of cases, by inquiry id; `next` is what to pass as `after` for the following one."""
        query: dict[str, Any] = {}
        if state:
            query["state"] = state
        if department:
            query["departments"] = department
        if after:
            query["_id"] = {"$gt": after}
        rows = await self.store.cases.page(query, limit + 1)
        subjects = await self.store.decisions.subjects([row["_id"] for row in rows])
        cases = [
            {name: value for name, value in row.items() if name != "_id"}
            | {"inquiry_id": row["_id"], "subject": subjects.get(row["_id"])}
            for row in rows[:limit]
        ]
        return {"cases": cases, "next": cases[-1]["inquiry_id"] if len(rows) > limit else None}

    async def case(self, inquiry_id: str) -> dict[str, Any]:
        """A case with its parts, its facts and the events that everyone may read."""
        decisions = await self.store.decisions.of(inquiry_id)
        if not decisions:
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        # Not as this process remembers it: another may have decided since.
        case = case_of(inquiry_id, decisions)
        return {
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
                }
                for p in case.parts.values()
            ],
            "timeline": [line for one in decisions for line in timeline(one)],
            "decisions": [summary(one) for one in decisions],
        }


def timeline(decision: Decision) -> list[dict[str, Any]]:
    """The events of a decision as everyone may read them."""
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
    """The message as it came in."""
    contact = inquiry.contact.model_dump() if inquiry.contact else None
    said = {"subject": inquiry.subject.text, "body": inquiry.body.text, "contact": contact}
    return inquiry._asdict() | said


def summary(decision: Decision) -> dict[str, Any]:
    """A decision with its facts and words, and its messages without their values."""
    refused = decision.refused
    return {
        "inquiry_id": decision.inquiry_id,
        "n": decision.n,
        "cause": decision.cause,
        "type": decision.type,
        "digest": decision.digest,
        "at": decision.at._asdict(),
        "actor": decision.actor.public,
        "salt": decision.salt.hex() if decision.salt else None,
        "decided_at": decision.decided_at,
        "revision": decision.revision,
        "refusal": refused._asdict() if refused else None,
        "facts": [json.loads(one) for one in decision.events],
        "head": decision.head,
        "words": dict(decision.words),
        "messages": [{"topic": one.topic, "type": one.type, "id": one.id} for one in decision.messages],
    }
