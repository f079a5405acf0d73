"""Findings of the auditor: lost, double or wrong; repeats are counted, but are no finding."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["lost", "double", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One violation."""

    kind: Kind
    inquiry_id: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.inquiry_id or 'the whole'}: {self.words}."


@dataclass
class Findings:
    """All findings; `repeated` counts repeats under the same id by topic."""

    found: list[Finding] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)
    excused: list[Finding] = field(default_factory=list)
    """Missing effects with a dead letter that explains them: not lost, because an operator can replay them."""

    def lost(self, inquiry_id: str, words: str) -> None:
        """Something accepted, decided or due is missing."""
        self.found.append(Finding("lost", inquiry_id, words))

    def double(self, inquiry_id: str, words: str) -> None:
        """Something happened under two ids, or had two effects."""
        self.found.append(Finding("double", inquiry_id, words))

    def wrong(self, inquiry_id: str, words: str) -> None:
        """Something exists once with wrong content."""
        self.found.append(Finding("wrong", inquiry_id, words))

    def count(self, kind: Kind) -> int:
        """The number of findings of this kind."""
        return sum(one.kind == kind for one in self.found)

    @property
    def clean(self) -> bool:
        """Whether there are no findings."""
        return not self.found
