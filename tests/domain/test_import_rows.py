"""Import files: encodings, columns, rows and idempotency keys."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.cli.importing.content import FileProblem
from deploy.cli.importing.headers import WrongMapping, check_columns, fields_of, read_map
from deploy.cli.importing.mapping import ImportedMessage, Unusable, key_of, message
from deploy.cli.importing.private_csv import bare_name
from deploy.cli.importing.rows import look
from tests.domain.import_files import a_row, meant, rows_of, written

HEADER = "subject,body,name,email,departments,public"
LAMP = '路灯不亮,"第一行\n第二行",李明,li@mail.example,urban-management;market,是'


def messages_in(file: Path, maps: Sequence[str] = (), channel: str = "import") -> list[ImportedMessage]:
    table, chosen = look(file), read_map(maps)
    return [message(row, fields_of(tuple(row.cells), chosen), channel) for row in rows_of(table)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_encoding_gives_the_same_message(tmp_path: Path, encoding: str, packed: bool) -> None:
    content = f"{HEADER}\n{LAMP}\n".encode(encoding)
    (one,) = messages_in(written(tmp_path, gzip.compress(content) if packed else content))
    assert one.body == {
        "subject": "路灯不亮",
        "body": "第一行\n第二行",
        "channel": "import",
        "departments": ["urban-management", "market"],
        "public": True,
        "contact": {"name": "李明", "email": "li@mail.example"},
    }
    assert one.key == key_of(one.body)


def test_csv_and_jsonl_rows_have_the_same_key(tmp_path: Path) -> None:
    given = {
        "public": True,
        "contact": {"email": "li@mail.example", "name": "李明"},
        "departments": ["urban-management", "market"],
        "body": " 第一行\r\n第二行 ",
        "subject": "路灯不亮",
    }
    (as_json,) = messages_in(written(tmp_path, json.dumps(given), "letters.jsonl"))
    (as_csv,) = messages_in(written(tmp_path, f"{HEADER}\n{LAMP}\n"))
    assert as_json.key == as_csv.key


def test_both_unicode_normalization_forms_have_the_same_key() -> None:
    assert meant(a_row(body="caf\u00e9")).key == meant(a_row(body="cafe\u0301")).key


def test_another_text_or_channel_gives_another_key() -> None:
    keys = {meant(a_row()).key, meant(a_row(body="c")).key, meant(a_row(), "hotline").key}
    assert len(keys) == 3


def test_a_row_with_an_external_id_needs_no_key() -> None:
    one = meant(a_row(external_id=7))
    assert (one.body["external_id"], one.key) == ("7", None)


def test_a_row_keeps_its_own_channel() -> None:
    assert meant(a_row(channel="hotline"), "import").body["channel"] == "hotline"


def test_emoji_and_right_to_left_text_are_preserved(tmp_path: Path) -> None:
    (one,) = messages_in(written(tmp_path, "subject,body\n😀 مرحبا,שלום\n"))
    assert (one.body["subject"], one.body["body"]) == ("😀 مرحبا", "שלום")


def test_a_row_with_twenty_one_departments_is_sent_and_left_to_intake() -> None:
    codes = ";".join(f"d{number}" for number in range(21))
    assert len(meant(a_row(departments=codes)).body["departments"]) == 21


def test_an_invalid_boolean_is_reported() -> None:
    with pytest.raises(Unusable, match=r"public 'maybe' is neither true nor false"):
        meant(a_row(public="maybe"))


def test_rows_after_an_unreadable_one_are_still_read(tmp_path: Path) -> None:
    file = written(tmp_path, 'subject,body\na,b,c\nab,"dd"e\nlast,fine\n')
    wide, quoted, fine = rows_of(look(file))
    assert "3 cells and there are 2 columns" in (wide.unreadable or "")
    assert "double the quotes" in (quoted.unreadable or "")
    assert (fine.line, fine.cells, fine.unreadable) == (4, {"subject": "last", "body": "fine"}, None)


def test_an_unclosed_quote_is_reported_with_its_line(tmp_path: Path) -> None:
    _, open_ended = rows_of(look(written(tmp_path, 'subject,body\na,b\nc,"d\ne\nf\n')))
    assert (open_ended.line, open_ended.unreadable) == (
        3,
        "the quote that opens in line 3 is not closed before the end of the file; "
        "lines 3 to 5 were read as one row; close it",
    )


def test_jsonl_lines_that_are_not_objects_are_reported(tmp_path: Path) -> None:
    broken, listed, fine = rows_of(look(written(tmp_path, 'oops\n[1]\n{"subject":"s"}\n', "letters.jsonl")))
    assert "is not JSON" in (broken.unreadable or "")
    assert "no object" in (listed.unreadable or "")
    assert fine.cells == {"subject": "s"}


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_other_column_separators_are_detected(tmp_path: Path, delimiter: str) -> None:
    file = written(tmp_path, f"subject{delimiter}body\ns{delimiter}b\n")
    assert rows_of(look(file))[0].cells == {"subject": "s", "body": "b"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\n,,\n", "has no columns"),
        (b"PK\x03\x04", "is a spreadsheet"),
        (",".join(f"c{n}" for n in range(100_000)).encode(), "has 100,000 columns in its first line"),
        (b"\x1f\x8b\x08\x00abc", "damaged gzip"),
        (b"subject,subject\na,b\n", "'subject' more than once"),
    ],
)
def test_an_unusable_file_is_reported(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        look(written(tmp_path, content))


def test_a_json_array_is_distinguished_from_json_lines(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="one JSON array"):
        look(written(tmp_path, '[{"subject": "s"}]', "letters.json"))


def test_columns_are_found_by_name_and_by_map(tmp_path: Path) -> None:
    file = written(tmp_path, "甲,乙,Phone\ns,b,12345\n")
    (one,) = messages_in(file, ["subject=甲", "body=乙"])
    assert one.body == {"subject": "s", "body": "b", "channel": "import", "contact": {"phone": "12345"}}


def test_a_missing_column_is_reported_with_the_existing_columns() -> None:
    with pytest.raises(FileProblem, match=r"No column holds the subject and the body.*'甲', '乙'.*--map subject=甲"):
        check_columns(["甲", "乙"], {})


HOTLINE = "工单编号,来电人,联系电话,邮箱,区域,来电时间,标题,内容"


@pytest.mark.parametrize(
    "header",
    [
        HOTLINE,
        "受理编号,联系人,手机号码,电子邮箱,所属区域,受理时间,诉求标题,诉求内容",
        "*工单号,姓名（必填）,联系方式：,E-mail,区县,登记时间,主题,问题描述",
        "留言编号,市民姓名, 电话 ,电子邮件,地区,留言时间,留言主题,留言详情",
    ],
)
def test_usual_chinese_headings_need_no_map(tmp_path: Path, header: str) -> None:
    file = written(tmp_path, f"{header}\nA-1,李明,13800000000,li@mail.example,岳麓区,2026-01-05,路灯不亮,三天了\n")
    (one,) = messages_in(file)
    assert one.body == {
        "external_id": "A-1",
        "contact": {"name": "李明", "phone": "13800000000", "email": "li@mail.example"},
        "area": "岳麓区",
        "subject": "路灯不亮",
        "body": "三天了",
        "channel": "import",
    }


def test_a_fields_own_name_goes_before_a_heading_and_the_more_exact_heading_first() -> None:
    assert fields_of(["主题", "标题", "内容", "body"], {}) == {"subject": "标题", "body": "body"}


def test_a_heading_is_left_to_the_field_that_a_map_gives_it() -> None:
    assert fields_of(["标题", "内容"], {"body": "标题"}) == {"body": "标题"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["subject"], "not FIELD=COLUMN"),
        (["topic=标题"], "'topic' is no field"),
        (["subject=a", "subject=b"], "names 'subject' twice"),
    ],
)
def test_an_invalid_map_is_reported_with_the_valid_fields(given: list[str], words: str) -> None:
    with pytest.raises(WrongMapping, match=words):
        read_map(given)


def test_a_map_to_a_missing_column_is_reported() -> None:
    with pytest.raises(WrongMapping, match="there is no column 'x'"):
        check_columns(["subject", "body"], {"subject": "x"})


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl.gz", "a"])
def test_the_rejected_rows_are_named_after_the_file(name: str) -> None:
    assert bare_name(Path(name)) == "a"
