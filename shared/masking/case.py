"""What is masked together: the texts of one case, and what is known of the people in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseTexts:
    """What is to be masked together. `written` are the resident's texts, `answers` the departments'.

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
    """The texts of a case as the public may see them."""

    written: tuple[str, ...]
    answers: tuple[str, ...]
