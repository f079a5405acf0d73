"""The core's case cache: bounded by number and size, evicts the least recently used."""

from typing import Any

import pytest

from services.router.domain import facts
from services.router.domain.case import Case, Inquiry
from services.router.domain.fold import fold
from services.router.domain.words import NewFact, Text
from services.router.stores import decisions
from services.router.stores.decisions import Decisions
from tests.builders import INQUIRY

AT = "2026-03-16T04:00:00.000Z"


def an_inquiry(body: str) -> Inquiry:
    return Inquiry(Text("1/0/subject", "路灯"), Text("1/0/body", body), "web", None, None, (), False, False, "zh", AT)


def remembering(*inquiry_ids: str, body: str = "") -> Decisions:
    nowhere: Any = {"decisions": None}
    one = Decisions(nowhere)
    for inquiry_id in inquiry_ids:
        one._remember(Case(inquiry_id, inquiry=an_inquiry(body)))
    return one


def test_the_cache_is_bounded_by_the_number_of_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CASES_KEPT", 2)
    assert list(remembering("a", "b", "a", "c")._folded) == ["a", "c"]


def test_the_cache_is_bounded_by_the_size_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CHARACTERS_KEPT", 10_000)
    one = remembering("a", "b", "c", "c", "c", body="x" * 3_000)
    assert list(one._folded) == ["b", "c"]
    assert one._kept == sum(case.weight for case in one._folded.values())


def test_a_case_in_triage_is_not_complete() -> None:
    due: facts.DueTexts = {"accept": AT, "first_reply": AT, "resolve": AT}
    offered = NewFact(facts.Offered("p1", "lighting", "lead", due, 1))
    done = fold(Case(INQUIRY), offered, NewFact(facts.Contributed("p1", "lighting"), texts={"text": "亮了"}))
    assert done.complete
    assert not fold(done, NewFact(facts.Triaged("no-rule"))).complete
