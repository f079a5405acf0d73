"""Rate limits: a sliding window for each key, and bounded memory."""

from typing import Any

import pytest
from fastapi import Request

from shared.http.rate_limit import KEY_MAX, RateLimit, client_of
from shared.runtime.settings import Settings


def test_requests_beyond_the_limit_get_the_waiting_time() -> None:
    allowance = RateLimit(2, 60)
    assert [allowance.wait_s("a", now) for now in (0, 10, 20)] == [0, 0, 40]
    assert allowance.wait_s("a", 59.5) == 1
    assert allowance.wait_s("a", 60) == 0
    assert allowance.wait_s("a", 61) == 9


def test_refused_requests_do_not_prolong_the_wait() -> None:
    allowance = RateLimit(1, 60)
    assert allowance.wait_s("a", 0) == 0
    assert [allowance.wait_s("a", now) for now in range(1, 60)] == list(range(59, 0, -1))
    assert allowance.wait_s("a", 60) == 0


def test_each_key_has_its_own_limit() -> None:
    allowance = RateLimit(1, 60)
    assert [allowance.wait_s(key, 0) for key in ("a", "b", "a")] == [0, 0, 60]


def test_without_a_limit_every_request_is_allowed() -> None:
    allowance = RateLimit(0, 60)
    assert {allowance.wait_s("a", 0) for _ in range(1_000)} == {0}


def test_memory_has_a_bound_whoever_comes() -> None:
    allowance = RateLimit(3, 60, keys_max=100)
    for number in range(10_000):
        allowance.wait_s(f"{number}" * 500, 0)
    assert len(allowance._times) == 100
    assert max(map(len, allowance._times)) <= KEY_MAX
    for _ in range(100):
        allowance.wait_s("a", 0)
    assert len(allowance._times["a"]) == 3


def test_whoever_goes_on_is_not_forgotten_for_those_who_came_once() -> None:
    allowance = RateLimit(1, 60, keys_max=10)
    allowance.wait_s("a", 0)
    for number in range(1_000):
        allowance.wait_s(f"{number}", 0)
        assert allowance.wait_s("a", 0) == 60


def asked_from(client: Any) -> Request:
    return Request({"type": "http", "client": client, "headers": []})


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        (("203.0.113.7", 4711), "203.0.113.7"),
        (("::ffff:203.0.113.7", 4711), "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::"),
        (("2001:db8:1:2:ffff::1", 0), "2001:db8:1:2::"),
        (("2001:db8:1:3::1", 0), "2001:db8:1:3::"),
        (("somewhere", 0), "somewhere"),
        (None, ""),
    ],
)
def test_one_connection_is_one_client(client: Any, counted_as: str) -> None:
    assert client_of(asked_from(client)) == counted_as


@pytest.mark.parametrize("given", ["", "*", "127.0.0.1", "10.0.0.7,172.20.0.0/16", "::1, fd00::/8"])
def test_proxies_are_addresses_or_networks(given: str) -> None:
    assert Settings(trusted_proxies=given).trusted_proxies == given


@pytest.mark.parametrize("given", ["door", "10.0.0.0/33", "10.0.0.1,", "*,10.0.0.1", "10.0.0.1/8"])
def test_a_proxy_that_is_none_is_a_sentence(given: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address or network; write a list such as"):
        Settings(trusted_proxies=given)
