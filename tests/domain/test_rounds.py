"""Batches are decided in rounds with one input for each inquiry, in order."""

from hypothesis import given
from hypothesis import strategies as st

from services.router.core.handlers import rounds
from services.router.domain.case import Case
from services.router.domain.decision import Input
from tests.builders import given_by, received


def an_input(inquiry_id: str, number: int) -> Input:
    return given_by(received(f"第 {number} 封"), Case(inquiry_id), number)


def test_the_first_round_has_the_first_input_of_each_inquiry() -> None:
    a1, a2, b1, c1, a3, b2 = (an_input(*one) for one in (("a", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5), ("b", 6)))
    assert list(rounds([a1, a2, b1, c1, a3, b2])) == [[a1, b1, c1], [a2, b2], [a3]]


def test_an_empty_batch_has_no_rounds() -> None:
    assert list(rounds([])) == []


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_no_round_has_an_inquiry_twice_and_the_order_is_kept(letters: list[str]) -> None:
    batch = [an_input(letter, number + 1) for number, letter in enumerate(letters)]
    made = list(rounds(batch))
    for one in made:
        assert len({given.inquiry_id for given in one}) == len(one)
    for letter in set(letters):
        assert [g.id for one in made for g in one if g.inquiry_id == letter] == [
            g.id for g in batch if g.inquiry_id == letter
        ]
