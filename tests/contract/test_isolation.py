"""Every consumer reads committed records only."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("shared", "services", "deploy", "docs", "tests/chaos")


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of this name, with its file."""
    for folder in FOLDERS:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    yield file, node


def isolated(call: ast.Call) -> bool:
    """Whether the call sets the isolation level, directly or with `Connection.consumer()`."""
    return any(
        one.arg == "isolation_level" or (one.arg is None and ast.unparse(one.value).endswith(".consumer()"))
        for one in call.keywords
    )


def test_every_aiokafka_consumer_reads_committed_records_only() -> None:
    found = list(calls("AIOKafkaConsumer"))
    assert len(found) >= 3
    assert [f"{file.name}:{call.lineno}" for file, call in found if not isolated(call)] == []


def test_no_librdkafka_consumer_reads_uncommitted_records() -> None:
    """Its default is read_committed."""
    files = [file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py")]
    assert "read_uncommitted" not in "".join(file.read_text("utf-8") for file in files)
