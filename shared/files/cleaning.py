"""Cleans a file: the decoder of its type reads it, and only what the decoder understood is written again."""

from typing import BinaryIO

from shared.files.cleaned import Cleaned
from shared.files.kinds import HEAD_BYTES, kind_of
from shared.files.limits import CLEANED_BYTES_MAX
from shared.files.refusals import FileRefused


def cleaned(file: BinaryIO) -> Cleaned:
    """The file without hidden data. Raises FileRefused; MemoryError when it needs more memory than the process may use."""
    kind = kind_of(file.read(HEAD_BYTES))
    file.seek(0)
    # Each decoder is imported when it is needed: together they take half a second.
    if kind.family == "picture":
        from shared.files.pictures import cleaned_picture

        result = cleaned_picture(file, kind)
    elif kind.family == "pdf":
        from shared.files.documents import cleaned_pdf

        result = cleaned_pdf(file)
    else:
        from shared.files.audio import cleaned_audio

        result = cleaned_audio(file, kind)
    if len(result.content) > CLEANED_BYTES_MAX:
        raise FileRefused("too-large")
    return result
