"""Reads forms with files (`multipart/form-data`) as they arrive: one file at a time, in a file without a name.

Such a file is gone when it is closed or the process dies. So nothing of what people send is stored before it is cleaned.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import BinaryIO, NamedTuple

from fastapi import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from shared.http.problems import Problem, shown
from shared.http.request_body import LENGTH_DIGITS, REQUEST_MAX

FORM = "multipart/form-data"
FIELDS_MAX = 200
ARRIVING_S = 300.0
ESCAPES = (("%0D%0A", " "), ("%0D", " "), ("%0A", " "), ("%22", '"'))
"""How browsers write line breaks and quotes in names."""


class SentFile(NamedTuple):
    """A file of a form. Of one that is too large only the beginning is there."""

    field: str
    name: str
    content: BinaryIO
    too_large: bool


TakeFile = Callable[[SentFile], Awaitable[None]]
Fields = dict[str, list[str]]


def is_form_with_files(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


async def form_with_files(request: Request, take: TakeFile, file_bytes: int, files: int) -> Fields:
    """The texts of a form, which it may have several of by each name. `take` gets each file before the next one arrives.

    Raises Problem 408, 413 or 422, and what `take` raises.
    """
    most = file_bytes * files + REQUEST_MAX
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > LENGTH_DIGITS or int(length) > most):
        raise Problem(413, f"The request is too large; at most {most} bytes are accepted. Send fewer files.")
    _, options = parse_options_header(request.headers.get("content-type", ""))
    reader = _FormReader(take, file_bytes)
    try:
        with PushMultipartParser(options.get("boundary", ""), max_segment_count=FIELDS_MAX) as parser, reader.open:
            async with asyncio.timeout(ARRIVING_S):
                received = 0
                async for chunk in request.stream():
                    received += len(chunk)
                    if received > most:
                        raise Problem(413, f"The request has more than {most} bytes. Send fewer files.")
                    for event in parser.parse(chunk) if chunk and not parser.closed else ():
                        await reader.handle(event)
    except MultipartError as error:
        raise Problem(422, "The form cannot be read; send it as multipart/form-data, complete.") from error
    except TimeoutError as error:
        detail = f"The whole request did not arrive within {ARRIVING_S:g} s; send it again."
        raise Problem(408, detail, headers={"Connection": "close"}) from error
    return {name: [value.decode(errors="replace") for value in values] for name, values in reader.fields.items()}


class _FormReader:
    """Collects the texts of a form, and passes its files on."""

    def __init__(self, take: TakeFile, file_bytes: int) -> None:
        self.fields: dict[str, list[bytearray]] = defaultdict(list)
        self.open = ExitStack()
        self._take = take
        self._file_bytes = file_bytes
        self._text_bytes = 0
        self._file: SentFile | None = None
        self._size = 0
        self._text: bytearray | None = None

    async def handle(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is not None:
            self._add(event)
        elif self._file is not None:
            file, self._file = self._file, None
            # A browser sends an empty file without a name for a field in which nothing was chosen.
            if file.name or self._size:
                file.content.seek(0)
                await self._take(file._replace(too_large=self._size > self._file_bytes))
            file.content.close()

    def _begin(self, segment: MultipartSegment) -> None:
        if segment.filename is not None:
            content = self.open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `open` closes it
            self._file, self._size = SentFile(segment.name, unescaped(segment.filename), content, False), 0
        else:
            self._text = bytearray()
            self.fields[segment.name].append(self._text)

    def _add(self, some: bytearray | bytes) -> None:
        if self._file is not None:
            self._size += len(some)
            if self._size <= self._file_bytes:
                self._file.content.write(some)
            return
        assert self._text is not None
        self._text_bytes += len(some)
        if self._text_bytes > REQUEST_MAX:
            raise Problem(413, f"The texts of the form have more than {REQUEST_MAX} bytes. Write less.")
        self._text += some


def unescaped(name: str) -> str:
    """The name of a file as it was before a browser wrote it into a header."""
    for escape, sign in ESCAPES:
        name = name.replace(escape, sign)
    return name


async def single_file(request: Request, take: TakeFile, file_bytes: int) -> Fields:
    """A form with exactly one file. Raises Problem 415 for another type of body, 422 for another number of files."""
    if not is_form_with_files(request):
        sent = request.headers.get("content-type", "")
        raise Problem(415, f"The Content-Type is {shown(sent)}; send '{FORM}' with one file.")
    count = 0

    async def take_one(file: SentFile) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise Problem(422, "The form has more than one file; send one file in each request.")
        await take(file)

    fields = await form_with_files(request, take_one, file_bytes, 1)
    if not count:
        raise Problem(422, "The form has no file; send one, in a field such as `file`.")
    return fields
