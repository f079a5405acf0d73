"""Words: the free text and contacts of a decision, stored beside the facts that hold a hash of them.

A decision stores its words under a place: `<index of the fact>/<field>`, such as `0/subject` or `2/paragraphs/0/name`.
Within a case the place is `<n of the decision>/<index>/<field>`. A stored message contains a reference instead of a text:
the place in the case between two U+001A characters, which valid JSON contains only escaped.
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
REFERENCE_FROM_BYTES = 32
"""A text of fewer bytes (as JSON) is copied into the message. A reference is shorter, so no text matches inside one."""


class Text(NamedTuple):
    """A text and its place in the case."""

    place: str
    text: str


class FactWords(NamedTuple):
    """The words of one fact of the n-th decision. `user` is the number of the staff user who caused the decision."""

    words: Words
    n: int
    fact_index: int
    user: int | None = None

    def get(self, field: str) -> str | None:
        """The text of a field; None when the fact has none, or when it is erased."""
        return self.words.get(f"{self.fact_index}/{field}")

    def text(self, field: str) -> Text:
        """The text of a field with its place in the case; the text is empty when it is erased."""
        place = f"{self.fact_index}/{field}"
        return Text(f"{self.n}/{place}", self.words.get(place, ""))


NO_FACT_WORDS = FactWords(NO_WORDS, 0, 0)


class NewFact(NamedTuple):
    """A fact as a rule returns it, before it has commitments.

    By field: `texts` get a commitment and are stored. `elsewhere` get a commitment and are not stored, because another
    decision of the case already stores them. `private` words are stored without a commitment.
    """

    fact: Fact
    texts: Words = NO_WORDS
    elsewhere: Words = NO_WORDS
    private: Words = NO_WORDS


class Draft(NamedTuple):
    """A draft of a contribution. It makes no fact, so no event shows it."""

    part_id: str
    words: Words


def with_commitments(new: NewFact, index: int, salt: bytes) -> Fact:
    """The fact with a commitment for each text. The field `paragraphs/0/text` is a field inside a list."""
    made: dict[str, Any] = {}
    for some in (new.texts, new.elsewhere):
        for field, text in some.items():
            name, *inner = field.split("/")
            committed = commitment(salt, f"{index}/{field}", text)
            if inner:
                rows = made.setdefault(name, [dict(row) for row in getattr(new.fact, name)])
                rows[int(inner[0])][inner[1]] = committed
            else:
                made[name] = committed
    if not made:
        return new.fact
    ready: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in made.items()}
    fact: Fact = new.fact._replace(**ready)
    return fact


def words_by_place(index: int, *some: Words) -> dict[str, str]:
    """Words of a fact under their places in its decision."""
    return {f"{index}/{field}": text for words in some for field, text in words.items()}


def references(texts: Iterable[Text]) -> list[tuple[bytes, bytes]]:
    """Pairs of a text as JSON escapes it, without quotes, and its reference; without the texts that are too short."""
    escaped = [(place, to_json(text)[1:-1]) for place, text in texts]
    return [
        (text, f"{MARK}{place}{MARK}".encode())
        for place, text in escaped
        if len(place) < REFERENCE_FROM_BYTES <= len(text)
    ]


def with_references(value: bytes, references: Iterable[tuple[bytes, bytes]]) -> str:
    """The JSON of a message with its texts replaced by references."""
    for text, reference in references:
        value = value.replace(text, reference)
    return value.decode()


def with_texts(value: str, words: Words) -> str:
    """The JSON of a message with references replaced by `words`, given by place in the case. Erased texts are empty."""
    return REFERENCE.sub(lambda found: to_json(words.get(found[1], "")).decode()[1:-1], value)
