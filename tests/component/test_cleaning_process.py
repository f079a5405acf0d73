"""The process that cleans files: it gives what the decoders give, and a file cannot use it up."""

import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image
from PIL.ExifTags import Base

from shared.files import worker
from shared.files.cleaning import cleaned
from shared.files.refusals import FileRefused
from shared.files.worker import CleaningProcesses, CleaningUnavailable
from tests.sample_files import pdf, photo, recording


def unnamed(content: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the caller
    file.write(content)
    return file


@pytest.mark.parametrize("content", [photo(), pdf(), recording("mp3")], ids=["picture", "pdf", "sound"])
async def test_the_process_cleans_a_file(content: bytes) -> None:
    with unnamed(content) as file:
        assert await CleaningProcesses().clean(file) == cleaned(io.BytesIO(content))


async def test_the_process_says_why_it_refuses_a_file() -> None:
    with unnamed(b"PK a spreadsheet") as file, pytest.raises(FileRefused) as refused:
        await CleaningProcesses().clean(file)
    assert refused.value.code == "unknown-type"


async def test_the_largest_picture_fits_into_the_memory_of_the_process() -> None:
    content = io.BytesIO()
    turned = Image.Exif()
    turned[Base.Orientation] = 6
    Image.new("RGB", (8_000, 6_250), "navy").save(content, "JPEG", exif=turned)
    with unnamed(content.getvalue()) as file:
        result = await CleaningProcesses().clean(file)
    Image.MAX_IMAGE_PIXELS = None
    assert Image.open(io.BytesIO(result.content)).size == (6_250, 8_000)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program in place of the one that cleans."""
    program = tmp_path / "program.py"
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, str(program)))
    return program


async def test_a_file_that_takes_too_long_is_refused_and_leaves_no_process(command: Path) -> None:
    note = command.with_suffix(".pid")
    command.write_text(
        f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    )
    started = time.monotonic()
    with unnamed(b"x") as file, pytest.raises(FileRefused) as refused:
        await CleaningProcesses(cleaning_s=1.0).clean(file)
    assert (refused.value.code, time.monotonic() - started < 10) == ("too-long", True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import os; os.kill(os.getpid(), 9)", "too-long"),
        ("import os; os.kill(os.getpid(), 11)", "broken"),
        ("raise SystemExit(3)", "broken"),
        ("print('{', end='')", "broken"),
        ('print(\'{"refused": "heic"}\')', "heic"),
    ],
)
async def test_a_process_that_dies_refuses_the_file(command: Path, program: str, code: str) -> None:
    command.write_text(program)
    with unnamed(b"x") as file, pytest.raises(FileRefused) as refused:
        await CleaningProcesses().clean(file)
    assert refused.value.code == code


async def test_memory_and_time_of_the_process_are_limited(command: Path) -> None:
    text = "import resource\nfrom shared.files import __main__ as one\none.cleaned = lambda file: {}\none.main()"
    command.write_text(text.format("bytearray(2_000_000_000)"))
    with unnamed(b"x") as file, pytest.raises(FileRefused) as refused:
        await CleaningProcesses().clean(file)
    assert refused.value.code == "too-long"


async def test_the_process_gets_no_settings(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHORUS_SECRET_FILE", "/run/secrets/query-code")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    command.write_text(
        "import os\nleaked = [name for name in os.environ if name.startswith(('CHORUS_', 'AWS_'))]\n"
        'print(\'{"refused": "heic"}\' if not leaked else leaked)'
    )
    with unnamed(b"x") as file, pytest.raises(FileRefused) as refused:
        await CleaningProcesses().clean(file)
    assert refused.value.code == "heic"


async def test_too_many_files_at_once_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAITING_MOST", 0)
    with unnamed(b"x") as file, pytest.raises(CleaningUnavailable):
        await CleaningProcesses().clean(file)
