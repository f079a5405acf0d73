"""The terms by which cases are looked up, and the search query.

A text has three kinds of terms: each pair of neighbouring characters, unless both are of an alphabet; and of each word of
an alphabet or number, the first 2, 4 and 8 characters. A query is looked up by some of its terms, and each case found
is then compared with the whole query.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, zip_longest
from typing import NamedTuple, Self

from services.router.domain.search.script import folded

QUERY_MAX = 100
WORDS_MAX = 10
LOOKUPS_MAX = 6
PREFIXES = (2, 4, 8)
ALPHABETS_END = "\u0e00"
"""Characters before this one belong to alphabets that write spaces between words; later ones, as Chinese, do not."""
WORD = re.compile("[!-\u0dff]+")
NOT_INSIDE_A_WORD = "(?<![!-\u0dff])"


def terms(text: str) -> set[str]:
    """All terms by which a text can be found."""
    found: set[str] = set()
    for run in folded(text).split(" "):
        found.update(first + second for first, second in pairwise(run) if max(first, second) >= ALPHABETS_END)
        for word in WORD.findall(run):
            found.update(word[:length] for length in PREFIXES if length <= len(word))
    return found


class SearchQuery(NamedTuple):
    """The words of a query, in any order: a case is found if its texts have all of them.

    A word of an alphabet matches the beginning of a word; other words match anywhere.
    """

    words: tuple[str, ...]
    lookups: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError with a sentence."""
        if len(text) > QUERY_MAX:
            raise ValueError(f"query has {len(text)} characters; write at most {QUERY_MAX}")
        words = tuple(dict.fromkeys(folded(text).split()))
        if len(words) > WORDS_MAX:
            raise ValueError(f"query has {len(words)} words; write at most {WORDS_MAX}")
        some = chain.from_iterable(zip_longest(*map(_lookups, words)))
        lookups = tuple(dict.fromkeys(one for one in some if one is not None))[:LOOKUPS_MAX]
        if not lookups:
            raise ValueError(f"query {text!r} is too short; write a word of at least two letters, digits or characters")
        return cls(words, lookups)

    def matches(self, texts: Iterable[str]) -> bool:
        """Whether these texts, together, have all words."""
        all_texts = "\n".join(map(folded, texts))
        return all(_has(all_texts, word) for word in self.words)


def _lookups(word: str) -> Sequence[str]:
    """Terms of a word that every text with this word has, each part of it once."""
    return [*_pairs(word), *(_longest_prefix(one) for one in WORD.findall(word) if len(one) >= PREFIXES[0])]


def _pairs(word: str) -> Iterator[str]:
    starts = [*range(0, len(word) - 1, 2), len(word) - 2]
    for start in dict.fromkeys(one for one in starts if one >= 0):
        pair = word[start : start + 2]
        if max(pair) >= ALPHABETS_END:
            yield pair


def _longest_prefix(word: str) -> str:
    return word[: max(length for length in PREFIXES if length <= len(word))]


def _has(text: str, word: str) -> bool:
    if word[0] >= ALPHABETS_END:
        return word in text
    return re.search(NOT_INSIDE_A_WORD + re.escape(word), text) is not None
