"""Whoever reads a topic is given nothing that a transaction has not committed."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("shared", "services", "deploy", "docs", "tests/chaos")
LIBRDKAFKA = "isolation.level"


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of this name, with its file."""
    for folder in FOLDERS:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    yield file, node


def isolated(call: ast.Call) -> bool:
    """Whether it names the level, or takes the settings of `Connection.consumer`, which do."""
    return any(
        one.arg == "isolation_level" or (one.arg is None and ast.unparse(one.value).endswith(".consumer()"))
        for one in call.keywords
    )


def test_every_consumer_of_aiokafka_reads_what_is_committed() -> None:
    found = list(calls("AIOKafkaConsumer"))
    assert len(found) >= 3
    assert [f"{file.name}:{call.lineno}" for file, call in found if not isolated(call)] == []


def test_no_consumer_of_librdkafka_is_told_otherwise() -> None:
    """It reads what is committed unless it is told otherwise."""
    files = [file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py")]
    assert "read_uncommitted" not in "".join(file.read_text("utf-8") for file in files)
