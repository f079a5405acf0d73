"""What the auditor found: sentences, each of them lost, double or wrong; and repeats, which are no fault."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["lost", "double", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be."""

    kind: Kind
    inquiry_id: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.inquiry_id or 'the whole'}: {self.words}."


@dataclass
class Findings:
    """All of them; `repeated` counts what came again under the same id, by where it came."""

    found: list[Finding] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)
    excused: list[Finding] = field(default_factory=list)
    """What is missing although a dead letter says why: for the operator to replay, and not lost."""

    def lost(self, inquiry_id: str, words: str) -> None:
        """Something that was accepted, decided or due is not there."""
        self.found.append(Finding("lost", inquiry_id, words))

    def double(self, inquiry_id: str, words: str) -> None:
        """Something happened under two ids, or had two effects."""
        self.found.append(Finding("double", inquiry_id, words))

    def wrong(self, inquiry_id: str, words: str) -> None:
        """Something is there once and is not what it must be."""
        self.found.append(Finding("wrong", inquiry_id, words))

    def count(self, kind: Kind) -> int:
        """How many of this kind."""
        return sum(one.kind == kind for one in self.found)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.found
