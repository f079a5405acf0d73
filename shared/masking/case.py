"""The input and the output of masking: the texts of one case, and the contact of its resident."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseTexts:
    """The texts to mask together. `written` are the resident's texts, `answers` the departments'.

    `names` and `reached_at` come from the resident's contact. `published` are the departments' own contacts in the
    directory; they stay readable, unless they are the resident's.
    """

    written: tuple[str, ...]
    answers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reached_at: tuple[str, ...] = ()
    published: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Masked:
    """The masked texts of a case, ready to publish."""

    written: tuple[str, ...]
    answers: tuple[str, ...]
