"""An SMTP server for trying and testing: it writes every mail to an .eml file and delivers none."""

import argparse
import asyncio
import itertools
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local import probe
from deploy.local.component import Component

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


def mail_component(folder: Path, port: int) -> Component:
    """The SMTP server, writing mails into `folder`."""
    return Component(
        name="smtp",
        command=(sys.executable, "-m", "deploy.local.mail", "--port", str(port), "--folder", str(folder)),
        ready=partial(probe.smtp, f"127.0.0.1:{port}"),
        stage=1,
        ports=(port,),
        stop_s=5.0,
    )


class Sink:
    """Writes each mail to a file; the file names sort by arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = itertools.count()

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:
        """Store the mail unchanged, then accept it."""
        content = envelope.original_content or b""
        name = f"{time.time_ns():020d}-{next(self._count):06d}.eml"
        # A draft does not end with .eml: readers look for *.eml, and pathlib finds hidden files too.
        draft = self.folder / f".{name}.draft"
        draft.write_bytes(content)
        draft.rename(self.folder / name)
        return "250 kept"


async def serve(folder: Path, port: int) -> None:
    """Listen on 127.0.0.1 until SIGTERM or SIGINT."""
    from aiosmtpd.smtp import SMTP

    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    sink = Sink(folder)
    talk: Any = partial(SMTP, sink, enable_SMTPUTF8=True, hostname="chorus.local", ident="Chorus mail sink")
    async with await loop.create_server(talk, "127.0.0.1", port):
        await ended.wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    given = arguments.parse_args()
    asyncio.run(serve(given.folder, given.port))
