"""Cases as the desk shows them: a page of the list, one case with its facts, decisions without words."""

import json
from typing import Any

from services.router.domain import fact_documents, facts
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
        first = await self.store.decisions.at([(row["_id"], 1) for row in rows])
        registered = [fact for one in first for fact in one.facts if isinstance(fact, facts.Registered)]
        subjects = {fact.inquiry_id: fact.subject for fact in registered}
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
            "inquiry": fact_documents.document(case.inquiry)["data"] if case.inquiry else None,
            "lead": case.lead,
            "co_handlers": case.co_handlers,
            "parts": [
                {
                    "part_id": p.id,
                    "department": p.department,
                    "role": p.role,
                    "state": p.state,
                    "due": p.due._asdict(),
                    "text": p.text,
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


def summary(decision: Decision) -> dict[str, Any]:
    """A decision without its messages' words."""
    document = decision.document()
    said = [{name: message[name] for name in ("topic", "type", "id")} for message in document["messages"]]
    return {name: value for name, value in document.items() if name not in ("_id", "v")} | {"messages": said}
