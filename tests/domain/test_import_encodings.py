"""The encoding of a file to be imported is found out, or the file is refused: no garbage reaches a resident."""

from pathlib import Path

import pytest

from deploy.cli.importing.content import FileProblem
from deploy.cli.importing.encodings import encoding_of, named
from deploy.cli.importing.row import Row
from deploy.cli.importing.rows import look

SIMPLIFIED = "标题,内容\n路灯不亮,人民路的路灯已经三天不亮了\n噪音,楼下的工地施工到半夜\n"
TRADITIONAL = "標題,內容\n路燈不亮,人民路的路燈已經三天不亮了\n噪音,樓下的工地施工到半夜\n"


def written(folder: Path, content: bytes) -> Path:
    file = folder / "letters.csv"
    file.write_bytes(content)
    return file


def rows_of(file: Path, encoding: str | None = None) -> list[Row]:
    with look(file, encoding).rows() as (rows, _):
        return list(rows)


@pytest.mark.parametrize(
    ("text", "codec", "found"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "utf-16", "utf-16"),
        (TRADITIONAL, "big5", "big5hkscs"),
        (TRADITIONAL, "gb18030", "gb18030"),
        ("标题,内容\n路灯,坏了\n", "gb18030", "gb18030"),
        ("subject,body\n路燈不亮,三天了\n", "big5", "big5hkscs"),
        ("subject,body\nplain,ASCII\n", "ascii", "utf-8"),
        ("subject,body\ncafé,à la plage\n", "utf-8", "utf-8"),
        ("subject,body\nПривет,фонарь\n", "utf-8", "utf-8"),
    ],
)
def test_a_file_is_read_in_the_encoding_it_was_written_in(tmp_path: Path, text: str, codec: str, found: str) -> None:
    file = written(tmp_path, text.encode(codec))
    assert encoding_of(file) == found
    assert list(rows_of(file)[0].cells.values()) == text.splitlines()[1].split(",")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("subject,body\n가로등,가로등이 삼일째 꺼져 있습니다\n", "euc-kr"),
        ("subject,body\n街灯,街灯が三日間消えています\n", "shift_jis"),
        ("subject,body\n街灯,街灯が三日間消えています\n", "euc-jp"),
        ("subject,body\ncafé,été à la plage\n", "latin-1"),
        ("subject,body\nПривет,Не горит фонарь\n", "cp1251"),
    ],
)
def test_a_file_that_does_not_read_as_chinese_is_refused_with_the_way_out(
    tmp_path: Path, text: str, codec: str
) -> None:
    with pytest.raises(FileProblem, match=r"encoding of .* is not certain .*--encoding"):
        look(written(tmp_path, text.encode(codec)))


def test_chance_characters_are_not_taken_for_chinese(tmp_path: Path) -> None:
    text = "subject,body\n" + "".join(f"{chr(0x8000 + 37 * n)}{chr(0x9000 + 23 * n)},x\n" for n in range(60))
    with pytest.raises(FileProblem, match="--encoding"):
        look(written(tmp_path, text.encode("gb18030")))


@pytest.mark.parametrize(
    ("codec", "name", "cut"), [("utf-8", "utf-8", 3), ("utf-8", "utf-8", 2), ("gb18030", "gb18030", 2)]
)
def test_a_file_that_was_cut_off_is_what_it_was_and_its_last_row_is_refused(
    tmp_path: Path, codec: str, name: str, cut: int
) -> None:
    file = written(tmp_path, SIMPLIFIED.encode(codec)[:-cut])
    assert encoding_of(file) == name
    first, last = rows_of(file)
    assert first.unreadable is None
    assert "the file ends in the middle of a character" in (last.unreadable or "")


def test_utf_16_that_was_cut_off_loses_its_last_row_alone(tmp_path: Path) -> None:
    first, last = rows_of(written(tmp_path, SIMPLIFIED.encode("utf-16")[:-3]))
    assert (first.unreadable, "no character of UTF-16" in (last.unreadable or "")) == (None, True)


def test_a_surrogate_among_plain_rows_is_no_other_encoding(tmp_path: Path) -> None:
    bad, good = rows_of(written(tmp_path, b"subject,body\n\xed\xa0\x80,x\nok,fine\n"))
    assert "0xed is no character of UTF-8" in (bad.unreadable or "")
    assert good.cells == {"subject": "ok", "body": "fine"}


def test_utf_16_without_a_mark_is_told_and_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, "subject,body\nlamp,broken\n".encode("utf-16-le"))
    with pytest.raises(FileProblem, match=r"full of NUL bytes.*--encoding utf-16-le"):
        look(file)
    assert rows_of(file, named("UTF-16LE"))[0].cells == {"subject": "lamp", "body": "broken"}


def test_a_person_may_say_what_the_file_cannot(tmp_path: Path) -> None:
    file = written(tmp_path, "subject,body\n龘,齉\n".encode("gb18030"))
    with pytest.raises(FileProblem, match="not certain"):
        look(file)
    assert rows_of(file, named("GBK"))[0].cells == {"subject": "龘", "body": "齉"}


def test_a_wrong_name_for_the_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--encoding 'ebcdic' is not known"):
        named("ebcdic")
    with pytest.raises(FileProblem, match="is not UTF-8"):
        look(written(tmp_path, SIMPLIFIED.encode("gb18030")), "utf-8")
    with pytest.raises(FileProblem, match="begins with the mark of UTF-8"):
        look(written(tmp_path, SIMPLIFIED.encode("utf-8-sig")), "gb18030")
