"""The operator token: only the whole token as a bearer is accepted."""

import pytest
from fastapi import Request

from shared.http.identity import holds_token

TOKEN = b"a token that is long enough to be one"


def request(*authorization: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", one) for one in authorization]})


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
def test_the_token_is_accepted_as_bearer(scheme: bytes) -> None:
    assert holds_token(request(scheme + b" " + TOKEN), TOKEN)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        TOKEN,
        b"Basic " + TOKEN,
        b"Bearer" + TOKEN,
        b"Bearer " + TOKEN[:-1],
        b"Bearer " + TOKEN + b"x",
        b"Bearer \xff" + TOKEN,
    ],
)
def test_other_headers_are_rejected(given: bytes) -> None:
    assert not holds_token(request(given), TOKEN)


def test_a_missing_header_is_rejected() -> None:
    assert not holds_token(request(), TOKEN)
