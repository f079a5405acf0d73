"""Rate limits: a sliding window for each key, with bounded memory."""

from collections import OrderedDict, deque
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import Request

KEYS_MAX = 10_000
KEY_MAX = 64
IPV6_PREFIX_BITS = 64


class RateLimit:
    """At most `most` events within `period_s` for each key; 0 means no limit. Forgets the key that was used longest ago."""

    def __init__(self, most: int, period_s: float, keys_max: int = KEYS_MAX) -> None:
        self.most = most
        self.period_s = period_s
        self.keys_max = keys_max
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> int:
        """Count an event and return 0; over the limit, return the seconds to wait and do not count it."""
        if self.most == 0:
            return 0
        times = self._times.setdefault(key[:KEY_MAX], deque(maxlen=self.most))
        self._times.move_to_end(key[:KEY_MAX])
        while len(self._times) > self.keys_max:
            self._times.popitem(last=False)
        if len(times) == self.most and now_s - times[0] < self.period_s:
            return max(1, ceil(times[0] + self.period_s - now_s))
        times.append(now_s)
        return 0

    def undo(self, key: str) -> None:
        """Forget the last event of this key, because its request has failed."""
        if times := self._times.get(key[:KEY_MAX]):
            times.pop()


def client_of(request: Request) -> str:
    """The key of a client for a rate limit: its IPv4 address, or its IPv6 /64 network, which one subscriber receives.

    Behind a proxy that CHORUS_TRUSTED_PROXIES names, uvicorn takes the client's address from `X-Forwarded-For`.
    """
    return client_network((request.client.host if request.client else "")[:KEY_MAX])


@lru_cache(maxsize=KEYS_MAX)
def client_network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> (128 - IPV6_PREFIX_BITS) << (128 - IPV6_PREFIX_BITS)))
