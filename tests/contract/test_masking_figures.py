"""How much of personal data in real messages is hidden, where they are at hand: forms of writing it, row by row."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.masking.lexical_model import LexicalModel
from shared.masking.masking import mask

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "masking_dev.jsonl.gz"
NAMES_MOST, NUMBERS_MOST, TOGETHER_MOST, HARMLESS_MOST = 0.055, 0.01, 0.03, 0.02


def rows() -> Iterator[dict[str, Any]]:
    if not DATA.exists():
        pytest.skip(f"{DATA.name} is not beside the repository in shared/data: real messages are not part of it")
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def test_of_personal_data_in_real_messages_nearly_all_is_hidden_and_little_else() -> None:
    model = LexicalModel()
    given, shown = Counter[str](), Counter[str]()
    for row in rows():
        text, seen = row["body"], mask(row["body"], lexicon=model)
        for start, end, kind, _, promised in row["spans"]:
            kind = ("name" if kind.startswith("name") else "number") if promised else "unpromised"
            given[kind] += 1
            shown[kind] += text[start:end] in seen
        for *_, harmless in row["harmless"]:
            given["harmless"] += 1
            shown["harmless"] += harmless in seen
    assert shown["name"] / given["name"] <= NAMES_MOST
    assert shown["number"] / given["number"] <= NUMBERS_MOST
    assert (shown["name"] + shown["number"]) / (given["name"] + given["number"]) <= TOGETHER_MOST
    assert 1 - shown["harmless"] / given["harmless"] <= HARMLESS_MOST
