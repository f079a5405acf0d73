"""The SMTP listener of intake, behind the city's own mail server: it takes mails for one mailbox and relays none."""

import asyncio
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.intake.mail.mails import MailIntake
from services.intake.mail.parsing import MAIL_BYTES_MAX
from shared.channels.reply_address import is_mailbox
from shared.runtime.logging import log

LINE_BYTES_MAX = 100_000
SESSION_BYTES_MAX = MAIL_BYTES_MAX + 1024 * 1024
"""Bytes without a complete mail or command between them, after which a session ends."""
SESSIONS_MAX = 50
RECIPIENTS_MAX = 20
IDLE_S = 60.0
EMPTY_PATH = "<>"
"""How the library names the empty return path, which only programs use."""
CALLS = {"RCPT": 200, "MAIL": 200, "DATA": 200, "RSET": 200, "*": 20}


class Listening(SMTP):
    """One session. Ends it when it sends without end, and when there are too many."""

    line_length_limit = LINE_BYTES_MAX
    sessions = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.unread = 0

    def connection_made(self, transport: Any) -> None:
        Listening.sessions += 1
        if Listening.sessions > SESSIONS_MAX:
            transport.write(b"421 4.3.2 Too many connections; try again later\r\n")
            transport.close()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        Listening.sessions -= 1
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self.unread += len(data)
        if self.unread > SESSION_BYTES_MAX and isinstance(self.transport, asyncio.Transport):
            # An endless line would fill the memory: the library keeps all of it.
            self.transport.abort()
            return
        super().data_received(data)


class MailHandler:
    """What happens to the commands of a session."""

    def __init__(self, mails: MailIntake) -> None:
        self.mails = mails

    async def handle_RCPT(
        self, server: Listening, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        server.unread = 0
        if not is_mailbox(self.mails.mailbox, address):
            return "550 5.1.1 There is no such mailbox here"
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Listening, session: Session, envelope: Envelope) -> str:
        server.unread = 0
        content = envelope.original_content or b""
        return_path = "" if envelope.mail_from in (None, EMPTY_PATH) else envelope.mail_from
        reply = await self.mails.take(content, return_path, envelope.rcpt_tos)
        return reply.text

    async def handle_exception(self, error: Exception) -> str:
        """The sending server keeps the mail; the log has no word of it."""
        log.error("a mail failed", error=type(error).__name__)
        return "451 4.3.0 Try again later"


@dataclass(frozen=True)
class MailListener:
    mails: MailIntake
    address: str

    async def run(self) -> None:
        """Take mails at `host:port`; runs until cancelled."""
        host, _, port = self.address.rpartition(":")
        make = partial(
            Listening,
            MailHandler(self.mails),
            data_size_limit=MAIL_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=self.mails.mailbox.rpartition("@")[2] or socket.gethostname(),
            ident="Chorus",
            timeout=IDLE_S,
            command_call_limit=CALLS,
        )
        server = await asyncio.get_running_loop().create_server(make, host, int(port))
        log.info("intake takes mails", address=self.address)
        async with server:
            await server.serve_forever()
