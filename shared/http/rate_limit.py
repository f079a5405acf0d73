"""How often somebody may do something: counted for each key in a moving window, with a bound on memory."""

from collections import OrderedDict, deque
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import Request

KEYS_WATCHED = 10_000
KEY_MAX = 64
HOME_BITS = 64


class RateLimit:
    """At most `most` within `period_s` for each key; 0 means without limit. Whoever was seen longest ago is forgotten."""

    def __init__(self, most: int, period_s: float, keys_watched: int = KEYS_WATCHED) -> None:
        self.most = most
        self.period_s = period_s
        self.keys_watched = keys_watched
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> int:
        """0, and it counts; else the whole seconds after which it would be allowed, and it does not count."""
        if self.most == 0:
            return 0
        times = self._seen.setdefault(key[:KEY_MAX], deque(maxlen=self.most))
        self._seen.move_to_end(key[:KEY_MAX])
        while len(self._seen) > self.keys_watched:
            self._seen.popitem(last=False)
        if len(times) == self.most and now_s - times[0] < self.period_s:
            return max(1, ceil(times[0] + self.period_s - now_s))
        times.append(now_s)
        return 0


def client_of(request: Request) -> str:
    """Who asks, as far as a limit can tell: the address, of IPv6 the network that one connection is given.

    Behind a proxy the server has put the client's address there, if CHORUS_TRUSTED_PROXIES names the proxy.
    """
    return home_of((request.client.host if request.client else "")[:KEY_MAX])


@lru_cache(maxsize=KEYS_WATCHED)
def home_of(host: str) -> str:
    """What an address is counted as; whoever comes often is parsed once."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> (128 - HOME_BITS) << (128 - HOME_BITS)))
