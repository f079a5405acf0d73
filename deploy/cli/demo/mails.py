"""The mails to the demo's residents, read from the folder of the local stack's SMTP server."""

import email
import re
import time
from collections.abc import Iterator, Mapping
from email import policy
from email.message import EmailMessage
from pathlib import Path

from deploy.cli.demo.account import DemoCase, DemoMail

CONFIRM = re.compile(r"https?://\S+/mail/confirm\?\S+")


class Mails:
    """Reads each new mail once; `folder` is None when mails go to another mail server."""

    def __init__(self, folder: str | None, cases: Mapping[str, DemoCase]) -> None:
        self._folder = Path(folder) if folder else None
        self._read = {file.name for file in self._files()}
        self._last_new = time.monotonic()
        self._by_address = {case.message.email: case for case in cases.values() if case.message.email}

    @property
    def kept(self) -> bool:
        """Whether the stack keeps mails in a folder."""
        return self._folder is not None

    @property
    def quiet_s(self) -> float:
        """Seconds since the last new mail, to any address."""
        return time.monotonic() - self._last_new

    def look(self) -> None:
        """Add every new mail to its case."""
        for file in self._files():
            if file.name not in self._read:
                self._last_new = time.monotonic()
                self._read.add(file.name)
                self._take(email.message_from_bytes(file.read_bytes(), policy=policy.default))

    def _take(self, mail: EmailMessage) -> None:
        case = self._by_address.get(str(mail["To"]))
        if case is not None:
            body = mail.get_body(("plain",))
            text = body.get_content() if body else ""
            confirm = CONFIRM.search(text)
            notices, what = (tuple(map(str, mail.get_all(f"X-Chorus-{name}", ()))) for name in ("Event", "What"))
            case.mails.append(DemoMail(notices, what, text, confirm[0] if confirm else None))

    def _files(self) -> Iterator[Path]:
        return self._folder.glob("*.eml") if self._folder and self._folder.is_dir() else iter(())
