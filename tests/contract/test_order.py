"""The order of the test files names existing files, each once."""

from tests.conftest import REPOSITORY
from tests.order import LONGEST_FIRST


def test_each_file_of_the_order_exists_and_is_named_once() -> None:
    assert [one for one in LONGEST_FIRST if not (REPOSITORY / "tests" / one).is_file()] == []
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)
