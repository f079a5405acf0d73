"""Which queries find which texts, and that a case which matches is always looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.search.query import LOOKUPS_MAX, QUERY_MAX, SearchQuery, terms
from services.router.domain.search.script import folded, simplified

FOUND = [
    ("路灯", "人民路路灯不亮"),
    ("路燈", "人民路路灯不亮"),
    ("路灯", "人民路路燈不亮"),
    ("裡面", "里面"),
    ("臺灣路", "台湾路"),
    ("为民街", "為民街"),
    ("路灯 人民路", "人民路的路灯"),
    ("人民路，路灯！", "人民路的路灯"),
    ("不亮", "人民路路灯不亮"),
    ("ＬＥＤ灯", "led灯坏了"),
    ("led", "ＬＥＤ　灯"),
    ("lamp", "Street LAMPS are dark"),
    ("Cafe", "the café"),
    ("café", "the cafe"),
    ("STRASSE", "straße"),
    ("5路", "等5路车"),
    ("３号楼", "3号楼"),
    ("a栋", "住在A栋"),
    ("139", "电话13900000000"),
    ("路灯 灯", "路灯"),
    ("路灯", "路\u200b灯"),
    ("ガス", "ｶﾞｽ"),
    ("москва", "в Москве и Москва"),
    ("𠮷野", "去𠮷野家"),
]
NOT_FOUND = [
    ("路灯", "路边的灯"),
    ("路灯", "路，灯"),
    ("lamp", "streetlamp"),
    ("5路", "15路"),
    ("路灯 水管", "路灯不亮"),
    ("灯路", "路灯"),
    ("00000", "13900000000"),
]


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_a_query_finds_a_text(query: str, text: str) -> None:
    asked = SearchQuery.read(query)
    assert asked.matches([text])
    assert set(asked.lookups) <= terms(text)


@pytest.mark.parametrize(("query", "text"), NOT_FOUND)
def test_a_query_does_not_find_another_text(query: str, text: str) -> None:
    assert not SearchQuery.read(query).matches([text])


def test_words_may_be_in_different_texts_and_no_word_reaches_over_two() -> None:
    assert SearchQuery.read("路灯 水管").matches(["路灯", "水管"])
    assert not SearchQuery.read("灯水").matches(["路灯", "水管"])


@pytest.mark.parametrize("query", ["", " ", "灯", "a", "1", "路 灯", "，。", "🔥🔥", "_", "\0"])
def test_a_query_without_a_word_of_two_characters_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        SearchQuery.read(query)


def test_a_query_has_limits() -> None:
    SearchQuery.read("路" * QUERY_MAX)
    with pytest.raises(ValueError, match="101 characters; write at most 100"):
        SearchQuery.read("路" * (QUERY_MAX + 1))
    with pytest.raises(ValueError, match="11 words; write at most 10"):
        SearchQuery.read(" ".join(f"w{n}" for n in range(11)))
    assert len(SearchQuery.read("".join(chr(0x4E00 + n) for n in range(QUERY_MAX))).lookups) == LOOKUPS_MAX


def test_each_word_has_a_lookup_when_there_is_room() -> None:
    assert SearchQuery.read("人民路路灯 水管 lamps").lookups == ("人民", "水管", "lamp", "路路", "路灯")


def test_the_table_of_characters_is_that_of_opencc() -> None:
    table = simplified()
    assert len(table) > 3_000
    assert not {ord(to) for to in table.values()} & table.keys()
    assert folded("為爲繁體羣衆裡裏") == "为为繁体群众里里"
    assert folded(folded("薴")) == folded("薴")


TEXTS = st.text(st.one_of(st.sampled_from("路灯燈ab15 ，Ａé́\u200bßΣςйﾞガがà"), st.characters()), max_size=40)


@given(TEXTS, st.integers(0, 40), st.integers(1, 12))
def test_every_piece_of_a_text_at_which_a_word_may_begin_finds_it(text: str, start: int, length: int) -> None:
    words = folded(text).split()
    piece = " ".join(words)[start : start + length]
    try:
        asked = SearchQuery.read(piece)
    except ValueError:
        return
    if asked.matches([text]):
        assert set(asked.lookups) <= terms(text)
    if set(asked.words) <= set(words):
        assert asked.matches([text])


@given(TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
