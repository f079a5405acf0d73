"""Words: free text and contacts, beside the facts that commit to them.

A decision keeps its words by place: `<index of the fact>/<field>`, such as `0/subject` or `2/paragraphs/0/name`. In the
whole case a text is known by `<n of the decision>/<place>`. Stored messages do not repeat texts: they refer to one by its
place, between two U+001A, which JSON never holds as they are.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic_core import to_json

from services.router.domain.facts import Fact
from shared.contracts.commitments import commitment

Words = Mapping[str, str]
NO_WORDS: Words = {}
MARK = "\x1a"
REFERENCE = re.compile(f"{MARK}([^{MARK}]+){MARK}")
SHORTEST_REFERRED = 32
"""Bytes, as JSON. A shorter text is repeated; and no place is as long, so that no text is found inside a reference."""


class Text(NamedTuple):
    """A text and its place in the case."""

    place: str
    text: str


class FactWords(NamedTuple):
    """The words of one fact: those of its decision, the n-th, that begin with its index."""

    words: Words
    n: int
    number: int

    def get(self, field: str) -> str | None:
        """None when the fact has no such text, or it is erased."""
        return self.words.get(f"{self.number}/{field}")

    def text(self, field: str) -> Text:
        """The text with its place; an erased one is empty."""
        place = f"{self.number}/{field}"
        return Text(f"{self.n}/{place}", self.words.get(place, ""))


NONE_SAID = FactWords(NO_WORDS, 0, 0)


class Stated(NamedTuple):
    """A fact before its decision commits to its texts.

    By field: `texts` get a commitment and are stored; `elsewhere` get one and stand in other words of the case already;
    `private` words are stored without one.
    """

    fact: Fact
    texts: Words = NO_WORDS
    elsewhere: Words = NO_WORDS
    private: Words = NO_WORDS


class Draft(NamedTuple):
    """What a department has shown of its contribution: words without a fact."""

    part_id: str
    words: Words


def committed(stated: Stated, index: int, salt: bytes) -> Fact:
    """The fact with a commitment for each of its texts; `paragraphs/0/text` names a field inside a list."""
    made: dict[str, Any] = {}
    for some in (stated.texts, stated.elsewhere):
        for field, text in some.items():
            name, *inner = field.split("/")
            promise = commitment(salt, f"{index}/{field}", text)
            if inner:
                rows = made.setdefault(name, [dict(row) for row in getattr(stated.fact, name)])
                rows[int(inner[0])][inner[1]] = promise
            else:
                made[name] = promise
    if not made:
        return stated.fact
    ready: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in made.items()}
    fact: Fact = stated.fact._replace(**ready)
    return fact


def named_words(index: int, *some: Words) -> dict[str, str]:
    """Words by their place in the decision."""
    return {f"{index}/{field}": text for words in some for field, text in words.items()}


def references(texts: Iterable[Text]) -> list[tuple[bytes, bytes]]:
    """For each text that is worth it, what it is inside JSON, and the reference that stands for it."""
    said = [(place, to_json(text)[1:-1]) for place, text in texts]
    return [
        (text, f"{MARK}{place}{MARK}".encode()) for place, text in said if len(place) < SHORTEST_REFERRED <= len(text)
    ]


def referring(value: bytes, to: Iterable[tuple[bytes, bytes]]) -> str:
    """Compact JSON with the texts in it replaced by references."""
    for text, reference in to:
        value = value.replace(text, reference)
    return value.decode()


def resolved(value: str, words: Words) -> str:
    """The JSON again; `words` are by their place in the case. A text that is erased is empty."""
    return REFERENCE.sub(lambda found: to_json(words.get(found[1], "")).decode()[1:-1], value)
