"""Many requests at the same time over one client, each on a connection of its own."""

import asyncio
import ssl

import httpx


class ConnectionPool(httpx.AsyncBaseTransport):
    """Connections taken in turn.

    A pool of httpx looks at every connection for every request, and again when it ends: with 32 of them that was half
    of an import's work.
    """

    def __init__(self, count: int) -> None:
        trust = ssl.create_default_context()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._all = [httpx.AsyncHTTPTransport(verify=trust, limits=limits, trust_env=False) for _ in range(count)]
        self._free: asyncio.Queue[httpx.AsyncHTTPTransport] = asyncio.Queue()
        for lane in self._all:
            self._free.put_nowait(lane)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """On the lane that has been free for longest; its former answer may still be on its way to its reader."""
        lane = await self._free.get()
        try:
            return await lane.handle_async_request(request)
        finally:
            self._free.put_nowait(lane)

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in self._all:
            await lane.aclose()
