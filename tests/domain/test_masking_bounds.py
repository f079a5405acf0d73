"""Boundaries of masking: ticket numbers stay readable, names end before the rest of the sentence."""

import pytest

from services.notifier.domain.masking import MARK, mask, merged
from tests.builders import INQUIRY


@pytest.mark.parametrize("before", ["来电 ", "电话 ", "微信号 ", "编号 ", ""])
@pytest.mark.parametrize("ticket", [INQUIRY, "20260316-13800138", f"{INQUIRY}-p12"])
def test_a_ticket_number_stays_readable_after_any_text(before: str, ticket: str) -> None:
    assert mask(f"{before}{ticket}，谢谢。") == f"{before}{ticket}，谢谢。"


@pytest.mark.parametrize("rest", ["住在东屿区", "是居民", "系业主", "现反映路灯"])
def test_a_stated_name_ends_before_the_rest_of_the_sentence(rest: str) -> None:
    assert mask(f"我叫张三{rest}") == f"我叫{MARK}{rest}"


@pytest.mark.parametrize("number", ["130503 670401 001", "130503-670401-001", "130503 67 04 01 001"])
def test_an_identity_number_of_fifteen_digits_is_masked_with_spaces_in_it(number: str) -> None:
    assert mask(f"身份 {number} 号") == f"身份 {MARK} 号"


def test_a_number_of_fifteen_digits_without_a_birthday_in_it_stays() -> None:
    assert mask("合同 130503 671301 001 号") == "合同 130503 671301 001 号"


def test_adjacent_and_overlapping_matches_become_one_mask() -> None:
    assert merged([(2, 4), (0, 2), (5, 9), (6, 7)]) == [(0, 4), (5, 9)]
