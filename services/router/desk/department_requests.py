"""The bodies of the commands by which a department without Kafka works on its part; the fields are those of its outbox."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.department_outbox import Action
from shared.contracts.documented import Documented
from shared.contracts.fields import FileId
from shared.contracts.limits import FILES_PER_MESSAGE_MAX, TEXT_MAX

DepartmentText = Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]


class AcceptBody(Documented):
    """The command `accept`: your department accepts its part."""

    type: Literal["accept"]
    """The command, `accept`."""
    part_id: str
    """The id of your department's part."""


class ContributeBody(Documented):
    """The command `contribute`: your department's share of the answer, or a draft of it."""

    type: Literal["contribute"]
    """The command, `contribute`."""
    part_id: str
    """The id of your department's part."""
    text: DepartmentText
    """Your department's paragraph of the answer, 1 to 20,000 characters, released unchanged."""
    final: bool = True
    """False for a draft: the part stays open."""
    actions: Annotated[tuple[Action, ...], Field(max_length=50)] = ()
    """What your department did for the inquiry, at most 50 actions."""
    files: Annotated[tuple[FileId, ...], Field(max_length=FILES_PER_MESSAGE_MAX)] = ()
    """The ids of at most 5 files that your department sent with `POST /files`; the resident gets them with the answer."""


class ReplyBody(Documented):
    """The command `reply`: your department's interim reply to the resident."""

    type: Literal["reply"]
    """The command, `reply`."""
    part_id: str
    """The id of your department's part."""
    text: DepartmentText
    """The interim reply, 1 to 20,000 characters, sent to the resident unchanged."""


class ReturnBody(Documented):
    """The command `return`: your department returns its part, with a reason."""

    type: Literal["return"]
    """The command, `return`."""
    part_id: str
    """The id of your department's part."""
    reason: Annotated[str, Field(min_length=1, max_length=64)]
    """One of the policy's `returns.reasons`; any text when the policy has none. Events have `not-ours`, `wrong-area`,
    `incomplete`, `lacks-facts` and `duplicate` as they are, any other as `other`."""
    words: Annotated[str, Field(max_length=TEXT_MAX)] = ""
    """An explanation for the desk, at most 20,000 characters; required when the policy limits returns."""
    suggest: Annotated[str | None, Field(max_length=31)] = None
    """The code of the department that should have the part instead; null when not given."""
