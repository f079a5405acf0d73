"""The files of a mail as files of the inquiry: cleaned like all others; those that are not accepted are named instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import compat32
from io import BytesIO

from services.intake.files import ResidentFiles
from services.intake.mail.parsing import Attachment, ParsedMail, is_file
from shared.contracts.limits import FILES_PER_MESSAGE_MAX
from shared.files.refusals import FileRefused
from shared.http.problems import Problem

HOLD_PLACES = ("image", "video", "audio")
"""Files that may tell where they were made. The original of the mail is kept without them."""


@dataclass(frozen=True)
class TakenFiles:
    """The ids of the files that the inquiry gets, and the names of the others."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def without(self) -> "TakenFiles":
        """When the ticket takes no more files. Those that nobody uses are deleted after a day."""
        return TakenFiles(left_out=(*self.names, *self.left_out))


async def take_files(files: ResidentFiles | None, attachments: Sequence[Attachment]) -> TakenFiles:
    """Clean and store the files of a mail. Raises what `Uploads.take` raises for a file that may come later."""
    if files is None:
        return TakenFiles(left_out=tuple(one.name for one in attachments))
    ids: list[str] = []
    names: list[str] = []
    left_out: list[str] = []
    for one in attachments:
        if one.content is None or len(ids) == FILES_PER_MESSAGE_MAX:
            left_out.append(one.name)
            continue
        try:
            stored = await files.uploads.take(BytesIO(one.content), one.name)
        except (FileRefused, Problem):
            left_out.append(one.name)
        else:
            ids.append(stored.file_id)
            names.append(one.name)
    return TakenFiles(tuple(ids), tuple(names), tuple(left_out))


def kept_original(content: bytes, parsed: ParsedMail) -> bytes:
    """The mail as it came, but without pictures and recordings: their cleaned copies are kept, and their places are not."""
    if not any(one.media_type.partition("/")[0] in HOLD_PLACES for one in parsed.attachments):
        return content
    mail = message_from_bytes(content, policy=compat32)
    for part in mail.walk():
        if not part.is_multipart() and is_file(part) and part.get_content_maintype() in HOLD_PLACES:
            part.set_payload("")
    return mail.as_bytes()
