"""The SMTP server of the local stack, as the readers of its folder see it."""

from pathlib import Path
from typing import Any

import pytest

from deploy.local.mail import Sink


class Envelope:
    original_content = b"Subject: x\r\n\r\nwhole\r\n"


async def test_a_mail_is_found_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    while_writing: list[Path] = []
    rename = Path.rename

    def look_before(draft: Path, to: Path) -> Path:
        while_writing.extend(tmp_path.glob("*.eml"))
        return rename(draft, to)

    monkeypatch.setattr(Path, "rename", look_before)
    nobody: Any = None
    envelope: Any = Envelope()
    assert await Sink(tmp_path).handle_DATA(nobody, nobody, envelope) == "250 kept"
    assert while_writing == []
    assert [one.read_bytes() for one in tmp_path.glob("*.eml")] == [Envelope.original_content]
