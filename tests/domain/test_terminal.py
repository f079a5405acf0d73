"""What foreign text may do to a terminal: nothing."""

import ast
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.terminal import sentence_lines, visible, write_json, write_lines

DEPLOY = Path(__file__).parents[2] / "deploy"
# The one module that writes; those that draw with rich what was made visible before; a tool for developers.
WRITES = {"terminal.py"}
DRAWS = {"cli/tables.py", "cli/demo/screen.py", "local/screen.py", "cli/cluster/up.py", "cli/importing/progress.py"}
TOOLS = {"local/pin.py"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("a\r\nb\tc\0", "a␍␊b␉c␀"),
        ("\x7f\x9b31m", "␡<U+009B>31m"),
        ("admin\u202etxt.exe", "admin<U+202E>txt.exe"),
        ("a\u200bb\ufeffc\u2066d", "a<U+200B>b<U+FEFF>c<U+2066>d"),
        ("\U000e0041\ud800\u3164", "<U+E0041><U+D800><U+3164>"),
        ("路灯不亮 café مرحبا 😀", "路灯不亮 café مرحبا 😀"),
    ],
)
def test_what_steers_or_hides_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_no_control_or_format_character_of_unicode_is_left() -> None:
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    left = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds]
    assert [hex(code) for code in left if chr(code) in visible(chr(code))] == []


def test_a_line_break_in_foreign_text_begins_no_line_of_its_own() -> None:
    stream = io.StringIO()
    write_lines(stream, "Refused: no\nchorus: ready", "second")
    assert stream.getvalue() == "Refused: no␊chorus: ready\nsecond\n"
    assert sentence_lines("These are wrong:\n  one\n  two\nthree") == ["These are wrong:", "  one", "  two␊three"]


def test_json_is_exact_and_holds_no_control_character() -> None:
    document = {"text": "\x1b\x7f\x9b\u202e\u200b\ud800\U000e0041 路灯"}
    stream = io.StringIO()
    write_json(stream, document)
    assert json.loads(stream.getvalue()) == document
    assert visible(stream.getvalue().rstrip("\n")) == stream.getvalue().rstrip("\n")
    assert "路灯" in stream.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_a_terminal_of_another_encoding_is_no_reason_to_fail(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_lines(stream, "\x1b路灯😀")
    write_json(stream, {"text": "路灯😀"})
    stream.seek(0)
    said, document = stream.read().splitlines()
    assert "\\u241b" in said
    assert json.loads(document) == {"text": "路灯😀"}


def writers(module: Path) -> Iterator[str]:
    """Each call in a module by which text can reach a terminal."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        to_terminal = called.endswith((".write", ".writelines")) and "sys.std" in called
        if called in ("print", "Console", "os.write", "pprint", "traceback.print_exception") or to_terminal:
            yield called
        if called.startswith(("typer.echo", "typer.secho", "click.echo", "click.secho")):
            yield called


def test_every_line_to_a_terminal_passes_one_place() -> None:
    found = {str(file.relative_to(DEPLOY)): set(writers(file)) for file in DEPLOY.rglob("*.py")}
    calls = {name: called for name, called in found.items() if called and name not in WRITES | TOOLS}
    assert set(calls) == DRAWS
    assert {one for name in DRAWS - {"local/screen.py"} for one in calls[name]} == {"Console"}
    assert calls["local/screen.py"] == {"Console", "os.write"}
