"""The words of a text as the rules for names use them: where each begins and ends, and whether it names a person."""

from typing import NamedTuple, Protocol

PERSON = "PER"


class Word(NamedTuple):
    """A word: its position and its kind (PER, LOC, ORG, n, v, …)."""

    start: int
    end: int
    kind: str


class Lexicon(Protocol):
    """Splits a text into words."""

    def words(self, text: str) -> list[Word]: ...


class NoLexicon:
    """Finds no words, so that rules alone find names."""

    def words(self, text: str) -> list[Word]:
        return []
