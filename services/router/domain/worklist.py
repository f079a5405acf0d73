"""What a department has to know about one of its open parts, to choose what to do next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.decision import DRAFT, Decision
from services.router.domain.due_parts import RunningClock, running_clocks
from services.router.domain.words import FactWords
from shared.runtime import timestamps

Mark = Literal["overdue", "due-soon", "drafted", "sent-back", "changed", "returned"]
MARKS: tuple[Mark, ...] = get_args(Mark)
SOON = timedelta(hours=24)
"""A clock is due soon when it runs out within this time, or when its department was reminded of it."""


class PartHistory(NamedTuple):
    """What happened to a part since the department last wrote about it, or since its contribution was sent back."""

    changed: bool = False
    sent_back: bool = False
    refused_because: str | None = None


def history_of(part_id: str, decisions: Iterable[Decision]) -> PartHistory:
    """The history of a part from the decisions of its case, given in order."""
    found = PartHistory()
    for decision in decisions:
        for index, fact in enumerate(decision.facts):
            found = _after(found, part_id, fact, FactWords(decision.words, decision.n, index))
        if f"{DRAFT}{part_id}/text" in decision.words:
            found = found._replace(changed=False)
    return found


def _after(found: PartHistory, part_id: str, fact: facts.Fact, words: FactWords) -> PartHistory:
    match fact:
        case facts.Offered() | facts.Contributed() if fact.part_id == part_id:
            return PartHistory()
        case facts.Changed() if fact.part_id == part_id:
            return found._replace(changed=True)
        case facts.Accepted() | facts.Replied() if fact.part_id == part_id:
            return found._replace(changed=False)
        case facts.ReleaseRefused() if fact.part_id in (part_id, None):
            return found._replace(sent_back=True, refused_because=words.get("words"))
    return found


def marks_of(
    case: Case, part_id: str, history: PartHistory, now: datetime, *, returned: bool
) -> tuple[tuple[RunningClock, ...], list[Mark]]:
    """The running clocks of an open part, the next one first, and its marks."""
    part = case.parts[part_id]
    running = tuple(running_clocks(case, part))
    found: dict[Mark, bool] = {
        "overdue": bool(running) and running[0].due_at <= timestamps.to_text(now),
        "due-soon": bool(running) and is_soon(running[0], now),
        "drafted": part.draft is not None,
        "sent-back": history.sent_back,
        "changed": history.changed,
        "returned": returned,
    }
    return running, [mark for mark in MARKS if found[mark]]


def is_soon(clock: RunningClock, now: datetime) -> bool:
    """Whether this clock has not run out, and runs out within SOON or its department was reminded of it."""
    if clock.due_at <= timestamps.to_text(now):
        return False
    return clock.reminded or clock.due_at <= timestamps.to_text(now + SOON)
