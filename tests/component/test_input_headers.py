"""The headers of an input for sender and salt are validated before it is decided."""

import pytest

from services.router.core.input_decoder import readable
from services.router.domain.case import Case
from services.router.domain.decision import Actor, Input
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from tests.builders import a_record, given_by, input_record, received

SALT = "0123456789abcdef" * 4


def an_input(**headers: bytes | None) -> Record:
    """A resident's message with other headers; None omits a header."""
    good = input_record(given_by(received("路灯不亮"), Case("20260316-7KQ2M9XD"), 1))
    kept = [(name, value) for name, value in good.headers if name not in headers]
    more = [(name, value) for name, value in headers.items() if value is not None]
    return a_record(good.value, [*kept, *more], key=good.key)


@pytest.mark.parametrize(
    ("text", "actor"),
    [
        (b"resident", Actor("resident")),
        (b"department", Actor("department")),
        (b"staff/operator", Actor("staff", "operator")),
        (b"staff/district-manager", Actor("staff", "district-manager")),
    ],
)
def test_a_sender_is_a_kind_with_an_optional_role(text: bytes, actor: Actor) -> None:
    read = readable(an_input(ce_actor=text))
    assert isinstance(read, Input)
    assert read.actor == actor


@pytest.mark.parametrize(
    "text",
    ["王办事员", "Staff", "staff/", "/operator", "staff/operator/more", "staff operator", "resident\n", "staff/1"],
)
def test_an_invalid_sender_is_rejected_with_its_value(text: str) -> None:
    read = readable(an_input(ce_actor=text.encode()))
    assert isinstance(read, InvalidRecord)
    assert str(read) == f"ce_actor {text!r} must be `kind` or `kind/role`, such as 'staff/operator'."


@pytest.mark.parametrize(
    "text", [b"0", SALT[1:].encode(), SALT.encode() + b"0", SALT.upper().encode(), b"z" * 64, bytes(range(128, 160))]
)
def test_a_salt_is_32_bytes_in_hexadecimal(text: bytes) -> None:
    read = readable(an_input(ce_salt=text))
    assert isinstance(read, InvalidRecord)
    assert str(read) == "ce_salt must be 64 hexadecimal digits."
    right = readable(an_input(ce_salt=SALT.encode()))
    assert isinstance(right, Input)
    assert right.salt == bytes.fromhex(SALT)


@pytest.mark.parametrize("header", ["ce_actor", "ce_salt"])
def test_an_input_without_sender_or_salt_is_rejected(header: str) -> None:
    read = readable(an_input(**{header: None}))
    assert isinstance(read, InvalidRecord)
    assert "ce_actor, ce_salt" in str(read)
