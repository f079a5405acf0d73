"""Ticket numbers, query codes and derived ids, compared with independent computations."""

import hashlib
import hmac
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import ids

SECRET = b"a secret of thirty-two characters"


def independent_code(secret: bytes, inquiry_id: str) -> str:
    """The first 60 bits in Crockford's Base32, computed from the binary digits."""
    bits = "".join(f"{byte:08b}" for byte in hmac.new(secret, inquiry_id.encode(), hashlib.sha256).digest())
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(alphabet[int(bits[place : place + 5], 2)] for place in range(0, 60, 5))


def test_a_query_code_is_the_first_sixty_bits_of_the_hmac() -> None:
    assert ids.query_code(SECRET, "20260316-7KQ2M9XD") == independent_code(SECRET, "20260316-7KQ2M9XD")
    assert independent_code(b"k" * 32, "20260316-7KQ2M9XD") == "FKRQ88HT7RVX"


@given(st.binary(min_size=32, max_size=64), st.from_regex(ids.INQUIRY_ID, fullmatch=True))
def test_every_query_code_is_twelve_crockford_characters(secret: bytes, inquiry_id: str) -> None:
    code = ids.query_code(secret, inquiry_id)
    assert code == independent_code(secret, inquiry_id)
    assert len(code) == 12


@pytest.mark.parametrize(
    "given",
    [
        "0123456789AB",
        " 0123-4567-89ab ",
        "O123456789AB",
        "oi23 4567 89ab",
        "０１２３—４５６７—８９ａｂ",
        "ol23\t4567\n89ab",
    ],
)
def test_a_code_is_accepted_with_similar_letters_case_and_separators(given: str) -> None:
    assert ids.same_code(given, "0123456789AB")


@pytest.mark.parametrize(
    "given", ["", "0123456789AC", "0123456789A", "0123456789ABC", "零123456789AB", "0123456789AB" + " " * 100]
)
def test_another_code_does_not_match(given: str) -> None:
    assert not ids.same_code(given, "0123456789AB")


@pytest.mark.parametrize(
    "given",
    [
        "20260316-7KQ2M9XD",
        "202603167KQ2M9XD",
        " 20260316 - 7kq2 m9xd\n",
        "2026 0316 7KQ2M9XD",
        "20260316–7KQ2M9XD",
        "20260316—7KQ2M9XD",
        "20260316−7KQ2M9XD",
        "20260316－7KQ2M9XD",
        "２０２６０３１６－７ＫＱ２Ｍ９ＸＤ",
        "２０２６０３１６７ｋｑ２ｍ９ｘｄ",
        "2O26O3I6-7KQ2M9XD",
        "2o26o3l6-7kq2m9xd",
        "[20260316-7KQ2M9XD]",
        "编号：20260316-7KQ2M9XD。",
        "\u202d20260316\u00ad-\u200b7KQ2M9XD\u202c",
    ],
)
def test_a_ticket_number_is_read_as_people_type_it(given: str) -> None:
    assert ids.typed_inquiry_id(given) == "20260316-7KQ2M9XD"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "20260316",
        "20260316-7KQ2M9X",
        "20260316-7KQ2M9XDD",
        "20260316-7KQ2M9XU",
        "2026031A-7KQ2M9XD",
        "20260316-7KQ2M9XD-p1",
        "二〇二六0316-7KQ2M9XD",
        "20260316-7KQ2M9XD" + " " * 100,
        "ﷺ" * 100,
    ],
)
def test_anything_else_is_not_a_ticket_number(given: str) -> None:
    assert ids.typed_inquiry_id(given) is None


@given(st.text(), st.from_regex(r"[0-9]{8}-[0-9A-HJKMNP-TV-Z]{8}", fullmatch=True))
def test_any_text_is_a_ticket_number_in_its_own_form_or_none(given: str, inquiry_id: str) -> None:
    assert ids.INQUIRY_ID.fullmatch(ids.typed_inquiry_id(given) or inquiry_id)
    assert ids.typed_inquiry_id(inquiry_id) == inquiry_id


def test_a_ticket_number_is_the_day_and_eight_random_characters() -> None:
    made = {ids.new_inquiry_id(date(2026, 3, 16)) for _ in range(500)}
    assert len(made) == 500
    assert all(ids.INQUIRY_ID.fullmatch(one) and one.startswith("20260316-") for one in made)


def test_derived_ids_depend_only_on_their_causes() -> None:
    assert ids.derived_id("cause", "what") == ids.derived_id("cause", "what")
    assert len({ids.derived_id("a", "b/c"), ids.derived_id("a/b", "d"), ids.derived_id("a", "b")}) == 3
    assert UUID(ids.derived_id("cause", "what")).version == 5
    assert ids.named_id("departments.roads.outbox/1") != ids.named_id("departments.roads.outbox/2")


def test_an_id_without_a_cause_is_a_random_uuid() -> None:
    made = {ids.new_event_id() for _ in range(500)}
    assert len(made) == 500
    assert all(str(UUID(one)) == one and UUID(one).version == 4 for one in made)


@pytest.mark.parametrize(
    ("part_id", "inquiry_id"),
    [
        ("20260316-7KQ2M9XD-p1", "20260316-7KQ2M9XD"),
        ("20260316-7KQ2M9XD-p20", "20260316-7KQ2M9XD"),
        ("20260316-7KQ2M9XD-p0", None),
        ("20260316-7KQ2M9XD-p01", None),
        ("20260316-7KQ2M9XD", None),
        ("20260316-7KQ2M9XI-p1", None),
        ("20260316-7kq2m9xd-p1", None),
        ("20260316-7KQ2M9XD-p1\n", None),
        ("", None),
    ],
)
def test_the_inquiry_of_a_part_is_derived_from_its_id(part_id: str, inquiry_id: str | None) -> None:
    assert ids.inquiry_of(part_id) == inquiry_id
