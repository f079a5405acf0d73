"""Whether the domain of a mail's sender has signed it (DKIM). DNS is asked for a few seconds at most."""

import asyncio
from collections.abc import Callable

import dkim
from dns.exception import DNSException
from dns.resolver import Resolver

Lookup = Callable[..., bytes | None]
"""The TXT record of a name, as bytes; None without one."""
LOOKUP_S = 3.0
CHECK_S = 10.0
SIGNATURES_MAX = 3
KEY_BITS_MIN = 1_024


def from_dns(name: bytes | str, timeout: float = LOOKUP_S) -> bytes | None:
    """The TXT record of a name from DNS. Raises DNSException when DNS does not answer."""
    resolver = Resolver()
    resolver.lifetime = resolver.timeout = min(timeout, LOOKUP_S)
    answer = resolver.resolve(name.decode("ascii") if isinstance(name, bytes) else name, "TXT", search=False)
    return b"".join(answer[0].strings)


class SenderProof:
    """Checks the signatures of mails, with `lookup` instead of DNS in tests."""

    def __init__(self, lookup: Lookup = from_dns) -> None:
        self.lookup = lookup

    async def holds(self, content: bytes, sender: str) -> bool:
        """Whether the domain of `sender`, exactly, has signed the whole mail and its From. False when DNS does not answer."""
        try:
            async with asyncio.timeout(CHECK_S):
                return await asyncio.to_thread(self._check, content, sender.rpartition("@")[2].lower())
        except TimeoutError:
            return False

    def _check(self, content: bytes, domain: str) -> bool:
        try:
            mail = dkim.DKIM(content, minkey=KEY_BITS_MIN, timeout=int(LOOKUP_S))
        except dkim.DKIMException:
            return False
        names = [name.lower() for name, _ in mail.headers]
        if names.count(b"from") != 1:
            return False
        for index in range(min(names.count(b"dkim-signature"), SIGNATURES_MAX)):
            try:
                signed = mail.verify(index, dnsfunc=self.lookup)
            # A signature and a DNS record are a stranger's data: each way in which they are wrong is no proof.
            except (dkim.DKIMException, DNSException, ValueError, TypeError, LookupError, OSError):
                continue
            if (
                signed
                and mail.domain.decode("ascii", "replace").lower() == domain
                and b"l" not in mail.signature_fields
            ):
                return True
        return False
