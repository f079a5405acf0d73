"""Public class names are unique in the product, so that a name identifies its module."""

import ast
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_no_two_public_classes_share_a_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for folder in ("shared", "services", "deploy"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.parse(file.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(file.relative_to(REPOSITORY)))
    assert {name: files for name, files in found.items() if len(files) > 1} == {}
