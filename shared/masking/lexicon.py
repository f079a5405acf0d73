"""What the rules for names know of the words of a text: where they begin and end, and which are names of persons."""

from typing import NamedTuple, Protocol

PERSON = "PER"


class Word(NamedTuple):
    """A word, where it stands, and what it is: PER, LOC, ORG, n, v, …"""

    start: int
    end: int
    kind: str


class Lexicon(Protocol):
    """Tells the words of a text."""

    def words(self, text: str) -> list[Word]: ...


class NoLexicon:
    """Knows no words: names are then found by rules alone."""

    def words(self, text: str) -> list[Word]:
        return []
