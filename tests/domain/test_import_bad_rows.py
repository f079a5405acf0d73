"""A rejected row is reported with its line and its bytes, and affects no other row."""

import gzip
from pathlib import Path

import pytest

from deploy.cli.importing.formulas import neutralised, restored
from deploy.cli.importing.mapping import Unusable
from deploy.cli.importing.rows import look
from tests.domain.import_files import a_row, meant, rows_of, written


def test_half_a_surrogate_pair_is_refused_and_the_next_row_is_not(tmp_path: Path) -> None:
    file = written(tmp_path, '{"subject": "\\ud800", "body": "b"}\n{"subject": "s", "body": "b"}\n', "letters.jsonl")
    bad, good = rows_of(look(file))
    with pytest.raises(Unusable, match=r"half a character \(U\+D800\)"):
        meant(bad)
    assert meant(good).body["subject"] == "s"


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(Unusable, match="no JSON"):
        meant(a_row(area=float("nan")))


def test_bytes_that_are_no_character_are_told_with_the_row(tmp_path: Path) -> None:
    content = "subject,body\n路灯不亮,好几天了\n".encode() + b"a\xff,b\nlast,fine\n"
    _, bad, good = rows_of(look(written(tmp_path, content)))
    assert (bad.line, bad.unreadable) == (3, "0xff is no character of UTF-8; write the row again")
    assert bad.content == b"a\xff,b\n"
    assert (good.unreadable, good.content) == (None, None)


def test_a_row_longer_than_a_mebibyte_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    content = b'subject,body\na,"' + b"x\n" * 600_000 + b'"\nlast,fine\n'
    long, last = rows_of(look(written(tmp_path, content)))
    assert "lines 2 to 600002 has 1,200,005 bytes; a row may have at most 1,048,576" in (long.unreadable or "")
    assert (last.line, last.cells["subject"]) == (600_003, "last")


def test_nul_bytes_come_as_they_are_for_intake_to_refuse(tmp_path: Path) -> None:
    nul, fine = rows_of(look(written(tmp_path, f"subject,body\na\0b,c\n{'x' * 50},b\n")))
    assert (nul.cells["subject"], fine.unreadable) == ("a\0b", None)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, ending: str) -> None:
    one, two = rows_of(look(written(tmp_path, ending.join(("subject,body", 'a,"b c"', "d,e", "")))))
    assert (one.cells, two.cells, two.line) == ({"subject": "a", "body": "b c"}, {"subject": "d", "body": "e"}, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_rows_bytes_are_where_it_says(tmp_path: Path, encoding: str, packed: bool) -> None:
    text = 'subject,body\n路灯不亮,"三天\n了😀"\n楼下的噪音,太大了\n'
    content = text.encode(encoding)
    one, two = rows_of(look(written(tmp_path, gzip.compress(content) if packed else content)))
    cut = [content[row.first_byte : row.first_byte + row.size] for row in (one, two)]
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    assert [piece.decode(plain) for piece in cut] == ['路灯不亮,"三天\n了😀"\n', "楼下的噪音,太大了\n"]


# Cells that a spreadsheet would run


@pytest.mark.parametrize("cell", ["=1+1", "+86 138", "-1", "@x", "\tx", "\rx", "'=x", "''=x"])
def test_a_formula_is_neutralised_and_comes_back(cell: str) -> None:
    assert neutralised(cell) == f"'{cell}"
    assert restored(neutralised(cell)) == cell


@pytest.mark.parametrize("cell", ["", "a=b", "'tis", "路灯", "1-2"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert neutralised(cell) == restored(cell) == cell
