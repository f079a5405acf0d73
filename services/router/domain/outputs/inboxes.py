"""What departments receive for each fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from shared.contracts.facts import Fact

Addressed = tuple[str, str, dict[str, Any]]


def _offer(case: Case, fact: Fact, directory: CityIndex) -> Iterator[Addressed]:
    inquiry = case.inquiry or {}
    data: dict[str, Any] = {
        "part_id": fact.data["part_id"],
        "inquiry_id": case.inquiry_id,
        "role": fact.data["role"],
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "due": fact.data["due"],
        "why": fact.data["why"],
        "policy_id": directory.policy.id,
        "subject": inquiry.get("subject"),
        "body": inquiry.get("body"),
        "area": inquiry.get("area"),
        "channel": inquiry.get("channel"),
        "received_at": inquiry.get("received_at"),
    }
    if inquiry.get("contact") and not inquiry.get("confidential"):
        data["contact"] = inquiry["contact"]
    yield fact.data["department"], "part.offered", data


def _change(case: Case, fact: Fact, directory: CityIndex) -> Iterator[Addressed]:
    data = {"part_id": fact.data["part_id"], "inquiry_id": case.inquiry_id, "role": fact.data["role"]}
    data |= {
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "why": "承办单位变更 / who handles this inquiry has changed",
    }
    yield fact.data["department"], "part.changed", data


def _withdrawal(case: Case, fact: Fact, directory: CityIndex) -> Iterator[Addressed]:
    data = {"part_id": fact.data["part_id"], "inquiry_id": case.inquiry_id, "why": fact.data["why"]}
    yield fact.data["department"], "part.withdrawn", data


def _closing(case: Case, fact: Fact, directory: CityIndex) -> Iterator[Addressed]:
    for part in case.active_parts:
        yield part.department, "part.closed", {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round}


FOR_DEPARTMENTS: Mapping[str, Callable[[Case, Fact, CityIndex], Iterator[Addressed]]] = {
    "part.offered": _offer,
    "part.changed": _change,
    "part.withdrawn": _withdrawal,
    "inquiry.answered": _closing,
}
