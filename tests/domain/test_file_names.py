"""Names of files: what is stored of them, and the header of a download."""

import re
from urllib.parse import unquote

import pytest

from shared.files.limits import NAME_BYTES_MAX, NAME_CHARACTERS_MAX
from shared.files.names import disposition, file_name

HEADER = re.compile(r"attachment; filename=\"([ !#-\[\]-~]*)\"; filename\*=UTF-8''([A-Za-z0-9!#$&+\-.^_`|~%]+)")


def downloaded(name: str) -> str:
    """The name under which a browser saves the file."""
    header = disposition(name)
    assert header.isascii()
    found = HEADER.fullmatch(header)
    assert found, header
    return unquote(found[2], errors="strict")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("路灯不亮（三号楼）.jpg", "路灯不亮（三号楼）.jpg"),
        ('say "hello".jpg', 'say "hello".jpg'),
        ("a\r\nSet-Cookie: x=1\r\n\r\n<script>.jpg", "a Set-Cookie: x=1 <script>.jpg"),
        ("a\0b\x7fc\u2028d\u202egpj.exe.jpg", "a b c d gpj.exe.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\li\\photo.JPG", "photo.JPG"),
        ("photo.jpeg", "photo.jpeg"),
        ("photo.exe", "photo.exe.jpg"),
        ("photo.heic", "photo.heic.jpg"),
        ("", "file.jpg"),
        (".jpg", "jpg.jpg"),
        ("...", "file.jpg"),
        ("   ", "file.jpg"),
        ("100%; filename=evil.exe.jpg", "100%; filename=evil.exe.jpg"),
        ("\ud800.jpg", "jpg.jpg"),
    ],
)
def test_a_name_is_kept_whole_on_one_line_with_the_ending_of_its_type(sent: str, stored: str) -> None:
    name = file_name(sent, "image/jpeg")
    assert name == stored
    assert downloaded(name) == stored
    assert file_name(name, "image/jpeg") == stored


@pytest.mark.parametrize("sign", ["a", "灯", "🚦"])
def test_a_long_name_is_cut_between_characters(sign: str) -> None:
    name = file_name(sign * 1_000 + ".pdf", "application/pdf")
    assert len(name) <= NAME_CHARACTERS_MAX
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert set(name.removesuffix(".pdf")) == {sign}
    assert downloaded(name) == name
