"""The SMTP listener against a real client and against hostile ones: nothing is relayed, kept in memory, or half taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiosmtplib
import pytest

from deploy.local.ports import Ports
from services.intake.mail import listener
from services.intake.mail.listener import RECIPIENTS_MAX, MailListener
from services.intake.mail.mails import MailReply
from services.intake.mail.parsing import MAIL_BYTES_MAX
from shared.runtime.settings import Settings
from tests.component.conftest import in_background
from tests.component.test_incoming_mails import Post, post
from tests.component.test_intake import Intake, intake
from tests.incoming import BOX, RESIDENT, a_mail
from tests.patience import PATIENCE_S

__all__ = ["intake", "post"]


class Wire:
    """A client that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, line: str | bytes) -> str:
        """Send a line and return the last line of the answer."""
        self.writer.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        await self.writer.drain()
        return await self.answer()

    async def flood(self) -> None:
        """Send one line without end."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.writer.write(b"x" * 100_000)
                await self.writer.drain()
                await asyncio.sleep(0)

    async def answer(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.reader.readline()).decode():
                if line[3:4] != "-":
                    return line.strip()
        return ""


@asynccontextmanager
async def listening(post: Post) -> AsyncIterator[int]:
    port = Ports.free().smtp_in
    async with in_background(MailListener(post.mails, f"127.0.0.1:{port}").run):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    break
        yield port


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
    one = Wire(reader, writer)
    try:
        await one.answer()
        assert (await one.say("EHLO relay.example")).startswith("250")
        yield one
    finally:
        writer.close()


async def test_a_client_hands_over_a_mail_and_its_confirmation_means_stored(post: Post) -> None:
    async with listening(post) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        _, said = await client.send_message(a_mail(), recipients=[BOX])
        _, again = await client.send_message(a_mail(), recipients=[BOX])
    assert said.startswith("2.0.0 Kept")
    assert again == said
    assert [kind for kind, _ in await post.entries()] == ["received"]


async def test_a_mail_with_an_empty_return_path_is_taken_and_makes_no_case(post: Post) -> None:
    async with listening(post) as port:
        for command in ("MAIL FROM:<>", "MAIL FROM: <> SIZE=100", "mail from:<>"):
            async with wire(port) as one:
                assert (await one.say(command)).startswith("250"), command
                assert (await one.say(f"RCPT TO:<{BOX}>")).startswith("250")
                assert (await one.say("DATA")).startswith("354")
                assert (await one.say(a_mail().as_bytes() + b".")).startswith("250 2.0.0 Kept")
    assert await post.entries() == []


async def test_no_mail_is_relayed_to_anybody_else(post: Post) -> None:
    async with listening(post) as port, wire(port) as one:
        await one.say(f"MAIL FROM:<{RESIDENT}>")
        for other in (
            "all@city.example",
            "chorus@other.example",
            "<chorus@city.example>,all@city.example",
            "postmaster",
        ):
            assert (await one.say(f"RCPT TO:<{other}>")).startswith("5"), other
        assert (await one.say("DATA")).startswith("503")
        assert (await one.say("VRFY chorus")).startswith(("252", "502", "550"))


async def test_ten_thousand_recipients_are_one_mailbox_at_most_twenty_times(post: Post) -> None:
    async with listening(post) as port, wire(port) as one:
        await one.say(f"MAIL FROM:<{RESIDENT}>")
        one.writer.write(b"".join(b"RCPT TO:<chorus+%d@city.example>\r\n" % n for n in range(10_000)))
        answers: list[str] = []
        # The server ends the session with commands unread, so the connection may be reset before the last answers.
        with suppress(ConnectionError):
            while answer := await one.answer():
                answers.append(answer)
    assert [answer[:3] for answer in answers].count("250") <= RECIPIENTS_MAX
    assert len(answers) < 300
    assert await post.entries() == []


async def test_the_twenty_first_recipient_and_all_later_ones_are_refused(post: Post) -> None:
    sent = RECIPIENTS_MAX + 30
    async with listening(post) as port, wire(port) as one:
        await one.say(f"MAIL FROM:<{RESIDENT}>")
        one.writer.write(b"".join(b"RCPT TO:<chorus+%d@city.example>\r\n" % n for n in range(sent)))
        answers = [(await one.answer())[:3] for _ in range(sent)]
    assert answers == ["250"] * RECIPIENTS_MAX + ["452"] * 30


async def test_pipelined_garbage_and_a_header_in_a_command_change_nothing(post: Post) -> None:
    async with listening(post) as port:
        async with wire(port) as one:
            assert (await one.say(f"MAIL FROM:<{RESIDENT}>\r\nRCPT TO:<{BOX}>\r\nDATA")).startswith("250")
            assert (await one.answer())[:3] == "250"
            assert (await one.answer())[:3] == "354"
            answer = await one.say(a_mail().as_bytes() + b".\r\nMAIL FROM:<evil@x>\r\n\x00\xff\xfe\r\n" * 1)
            assert answer.startswith("250 2.0.0 Kept")
        async with wire(port) as one:
            for _ in range(10):
                if not (await one.say(b"\xff\x00" * 200)):
                    break
        async with wire(port) as one:
            assert (await one.say(f"MAIL FROM:<{RESIDENT}>\rBcc: all@city.example"))[:1] == "5"
    assert len(await post.entries()) == 1


async def test_an_endless_line_ends_the_session_and_others_go_on(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SESSION_BYTES_MAX", 500_000)
    async with listening(post) as port:
        async with wire(port) as one:
            for line in (f"MAIL FROM:<{RESIDENT}>", f"RCPT TO:<{BOX}>", "DATA"):
                await one.say(line)
            with pytest.raises(ConnectionError):
                await one.flood()
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
            await client.send_message(a_mail(), recipients=[BOX])
    assert len(await post.entries()) == 1


async def test_a_mail_that_is_too_large_or_has_too_long_a_line_is_refused_and_the_session_goes_on(post: Post) -> None:
    async with listening(post) as port, wire(port) as one:
        assert (await one.say(f"MAIL FROM:<{RESIDENT}> SIZE={MAIL_BYTES_MAX + 1}")).startswith("552")
        for line in (f"MAIL FROM:<{RESIDENT}>", f"RCPT TO:<{BOX}>", "DATA"):
            await one.say(line)
        assert (await one.say(b"Subject: x\r\n\r\n" + b"y" * 300_000 + b"\r\n.")).startswith("500")
        for line in (f"MAIL FROM:<{RESIDENT}>", f"RCPT TO:<{BOX}>", "DATA"):
            await one.say(line)
        assert (await one.say(a_mail().as_bytes() + b".")).startswith("250")


async def test_too_many_connections_are_told_to_come_later(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SESSIONS_MAX", 2)
    async with listening(post) as port:
        async with asyncio.timeout(PATIENCE_S):
            while listener.Listening.sessions:
                await asyncio.sleep(0.01)
        async with wire(port), wire(port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await reader.readline()).startswith(b"421 ")
            writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while listener.Listening.sessions:
                await asyncio.sleep(0.01)
        async with wire(port):
            pass


async def test_a_failure_of_ours_is_temporary_and_says_nothing(
    intake: Intake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post(intake, settings)

    async def broken(*_: object) -> MailReply:
        raise RuntimeError(f"a defect about {RESIDENT}")

    monkeypatch.setattr(post.mails, "take", broken)
    async with listening(post) as port:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port)
        async with client:
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await client.send_message(a_mail(), recipients=[BOX])
    assert (refused.value.code, RESIDENT in refused.value.message) == (451, False)
