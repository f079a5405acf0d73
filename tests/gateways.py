"""The gateway of a channel for tests: an HTTP server that keeps what it gets and answers as it is told."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.channels.gateways import Gateway
from shared.channels.signatures import is_signed

KEY = base64.b64encode(b"the key of a gateway in the tests").decode()
OLD_KEY = base64.b64encode(b"the key that it had before, in the tests").decode()


@dataclass
class Received:
    """One request; `status` is how it was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> Any:
        return json.loads(self.body)["data"]


@dataclass
class FakeGateway:
    """Answers with `answers` in turn, then with 200. After an answer 0 it is silent, after -1 it hangs up."""

    name: str = "wechat"
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def gateway(self) -> Gateway:
        return Gateway(self.name, (KEY,), f"http://127.0.0.1:{self.port}/news")

    @property
    def accepted(self) -> list[Received]:
        return [one for one in self.received if one.status == 200]

    def all_signed(self) -> bool:
        return all(is_signed(self.gateway, one.headers, one.body) for one in self.received)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                status = self.answers.pop(0) if self.answers else 200
                self.received.append(Received(first.split()[1], headers, body, status))
                if status == 0:
                    await asyncio.sleep(60)
                if status < 0:
                    break
                more = f"Location: http://127.0.0.1:{self.port}/elsewhere\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 2\r\n\r\nok".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.take, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()


def channels_file(folder: Path, text: str, keys: str = KEY) -> Path:
    """A file of channels with a secret file beside it."""
    (folder / "secret").write_text(keys, "ascii")
    path = folder / "channels.yaml"
    path.write_text(text, "utf-8")
    return path
