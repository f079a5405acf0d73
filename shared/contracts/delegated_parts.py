"""What a department that has delegated its part receives from its offices."""

from typing import ClassVar

from pydantic import ConfigDict

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Moment


class ActionReported(Documented):
    """Something that the department of a delegated part did."""

    model_config = ConfigDict(frozen=True)
    kind: str
    """The kind of action as the department wrote it, such as `visit`."""
    at: Moment
    """When the department did it."""
    note: str | None
    """A note; null when it gave none."""


class DelegatedPartContributed(Payload):
    """To the department above: a department has contributed to the part that was delegated to it.

    The resident gets nothing of it, unless the department above writes it into its own contribution.
    """

    type: ClassVar[str] = PREFIX + "part.contributed"
    part_id: str
    """The id of the delegated part, such as `20261122-E94NXPQX-p3`."""
    parent: str
    """The id of your own part, of which it is a piece."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    department: str
    """The code of the department that contributed."""
    text: str
    """Its contribution, at most 20,000 characters."""
    actions: tuple[ActionReported, ...] = ()
    """What it did for the inquiry. Absent when it reported nothing."""


class DelegatedPartReturned(Payload):
    """To the department above: a part that it delegated has come back to it."""

    type: ClassVar[str] = PREFIX + "part.returned"
    part_id: str
    """The id of the delegated part, such as `20261122-E94NXPQX-p3`."""
    parent: str
    """The id of your own part, of which it was a piece."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    department: str
    """The code of the department that had the part."""
    reason: str
    """Its reason, such as `not-ours`, as it wrote it; `withdrawn` when the desk withdrew the part."""
    words: str
    """Its explanation, or the desk's; empty when there is none."""
    suggest: str | None = None
    """The code of the department that it suggests instead. Absent when it suggests none."""
