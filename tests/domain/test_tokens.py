"""Who holds the token: only the whole token, as a bearer."""

import pytest
from fastapi import Request

from shared.http.identity import holds_token

TOKEN = b"a token that is long enough to be one"


def request(*authorization: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", one) for one in authorization]})


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
def test_the_bearer_of_the_token_holds_it(scheme: bytes) -> None:
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
def test_nobody_else_does(given: bytes) -> None:
    assert not holds_token(request(given), TOKEN)


def test_without_a_header_nobody_does() -> None:
    assert not holds_token(request(), TOKEN)
