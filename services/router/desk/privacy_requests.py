"""The bodies of the commands that refuse, link and erase an inquiry."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.case_commands import Person, RefusalReason
from shared.contracts.documented import Documented
from shared.contracts.limits import WHY_MAX


class RefuseBody(Documented):
    """The command `refuse`: the city does not take up an inquiry in triage, or one that no department has accepted."""

    type: Literal["refuse"]
    """The command, `refuse`."""
    reason: RefusalReason
    """The reason as a code: `not-a-government-matter`, `legal-proceedings`, `another-authority`, `no-clear-request` or
    `answered-before`. Events have it."""
    words: Annotated[str, Field(min_length=1, max_length=WHY_MAX)]
    """The reason in words, 1 to 2,000 characters; the resident and the departments receive it."""
    instead: Annotated[str | None, Field(max_length=WHY_MAX)] = None
    """Where the resident can turn instead, at most 2,000 characters; null when there is no such place."""
    by: Person = "operator"
    """Who refuses, 1 to 100 characters."""


class LinkBody(Documented):
    """The command `link`: links an inquiry to an earlier one about the same matter. No resident sees the link."""

    type: Literal["link"]
    """The command, `link`."""
    linked_to: str
    """The ticket number of the other inquiry."""
    by: Person = "operator"
    """Who links, 1 to 100 characters."""


class EraseBody(Documented):
    """The command `erase`: erases the words and contacts of an inquiry in every service. It cannot be undone."""

    type: Literal["erase"]
    """The command, `erase`."""
    why: Annotated[str, Field(min_length=1, max_length=WHY_MAX)]
    """The reason, 1 to 2,000 characters. It is erased too; the number of the user stays."""
    by: Person = "operator"
    """Who erases, 1 to 100 characters. The name is erased too."""
