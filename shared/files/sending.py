"""The route that takes a file: its description, and its errors as problems."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request

from shared.files.limits import FILE_BYTES_MAX
from shared.files.refusals import FileRefused
from shared.files.shown import FileTaken
from shared.files.stored_file import StoredFile
from shared.files.worker import CleaningUnavailable
from shared.http.multipart_form import FORM, SentFile, single_file
from shared.http.problems import FieldProblem, Problem, shown

FILE_TEXT = "A picture, a PDF or a sound file, at most 10 MB."
FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": FILE_TEXT}},
                }
            }
        },
    }
}
STATUSES = {"too-large": 413, "unknown-type": 415, "heic": 415, "video": 415}
StoreFile = Callable[[SentFile], Awaitable[StoredFile]]


async def file_sent(request: Request, store: StoreFile) -> FileTaken:
    """Store the one file of a request.

    Raises Problem 408, 413, 415 or 422, 503 when too many files wait, and what `store` raises.
    """
    taken: list[StoredFile] = []

    async def take(sent: SentFile) -> None:
        try:
            if sent.too_large:
                raise FileRefused("too-large")
            taken.append(await store(sent))
        except FileRefused as refused:
            field = FieldProblem(pointer=f"/{sent.field}", detail=f"{shown(sent.name)}: {refused}")
            raise Problem(STATUSES.get(refused.code, 422), str(refused), [field]) from refused
        except CleaningUnavailable as error:
            raise Problem(503, f"{error} Try again in a moment.", headers={"Retry-After": "5"}) from error

    await single_file(request, take, FILE_BYTES_MAX)
    return FileTaken.of(taken[0])
