"""A likely resubmission: the same contact or a very similar text, not long before."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.case import Inquiry
from services.router.domain.resubmissions import SIMILAR, WITHIN, EarlierInquiry, likely_resubmissions
from services.router.domain.words import Text
from shared.contracts.fields import Contact
from shared.runtime import timestamps
from tests.builders import MONDAY_NOON

DARK = "幸福路三号门前的三盏路灯坏了半个月，晚上看不见路，请尽快派人来修。"


def an_inquiry(body: str = DARK, subject: str = "路灯不亮", days_ago: float = 0, **contact: Any) -> Inquiry:
    at = timestamps.to_text(MONDAY_NOON - timedelta(days=days_ago))
    who = Contact(**contact) if contact else None
    texts = Text("1/0/subject", subject), Text("1/0/body", body)
    return Inquiry(*texts, "web", None, who, (), False, False, "zh", at)


def signs(new: Inquiry, *earlier: Inquiry) -> list[tuple[str, tuple[str, ...]]]:
    rows = [EarlierInquiry(str(at), one) for at, one in enumerate(earlier)]
    return [(one.inquiry_id, one.signs) for one in likely_resubmissions(new, rows)]


@pytest.mark.parametrize(
    ("earlier", "why"),
    [
        (an_inquiry(days_ago=1), ("same-text",)),
        (an_inquiry(DARK.replace("，", " ,") + "!!", days_ago=1), ("same-text",)),
        (an_inquiry(DARK.replace("半个月", "一个月"), "路灯还是不亮", days_ago=1), ("similar-text",)),
        (an_inquiry("完全是另外一件事情，井盖不见了。", "井盖", days_ago=1), None),
        (an_inquiry("换个说法", "别的", days_ago=1, phone="139-0000 0000"), ("same-phone",)),
        (an_inquiry("换个说法", "别的", days_ago=1, email="Writer@Mail.Example"), ("same-email",)),
        (an_inquiry(days_ago=1, phone="13900000000"), ("same-phone", "same-text")),
        (an_inquiry(days_ago=31), None),
        (an_inquiry(days_ago=-1), None),
    ],
    ids=str,
)
def test_what_counts_as_a_likely_resubmission(earlier: Inquiry, why: tuple[str, ...] | None) -> None:
    new = an_inquiry(phone="13900000000", email="writer@mail.example")
    assert signs(new, earlier) == ([] if why is None else [("0", why)])


def test_the_one_with_the_most_signs_comes_first_then_the_newest() -> None:
    new = an_inquiry(phone="13900000000")
    earlier = [an_inquiry(days_ago=9), an_inquiry(days_ago=2), an_inquiry(days_ago=5, phone="13900000000")]
    assert [id_ for id_, _ in signs(new, *earlier)] == ["2", "1", "0"]


def test_short_texts_and_erased_ones_are_alike_only_when_they_are_the_same() -> None:
    assert signs(an_inquiry("路灯坏", "灯"), an_inquiry("路灯坏了", "灯", days_ago=1)) == []
    assert signs(an_inquiry("", ""), an_inquiry("", "", days_ago=1)) == []
    assert signs(an_inquiry("😀", "!"), an_inquiry("😁", "?", days_ago=1)) == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_it_never_fails_and_is_symmetric(one: str, other: str) -> None:
    there, back = (signs(an_inquiry(a), an_inquiry(b)) for a, b in ((one, other), (other, one)))
    assert there == back


def test_the_limits_are_what_the_handbook_says() -> None:
    assert (WITHIN.days, SIMILAR) == (30, 0.6)
