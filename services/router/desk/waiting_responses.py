"""The bodies of the desk's answers with what waits for staff of the whole city, and for approvers."""

from shared.contracts.documented import Documented


class WaitingCase(Documented):
    """A case in which something waits for the user; fields that do not concern its kind are null."""

    inquiry_id: str
    """The ticket number."""
    subject: str | None
    """The subject line; null when it is erased."""
    area: str | None
    """The name of the area in the directory; null when the directory does not have it."""
    received_at: str
    """When intake received the message (RFC 3339, UTC, milliseconds)."""
    lead: str | None
    """The code of the department that leads; null when there is none."""
    part_ids: list[str]
    """The parts whose departments ask for more time, or whose return an arbiter decides about; else empty."""
    until: str | None
    """For an extension, the first due time that a department asks for; for an arbitration, when the time of the arbiter
    ends (RFC 3339, UTC, milliseconds)."""
    text_hash: str | None
    """For a release, the SHA-256 of the text, which an approval names."""
    approvals: int | None
    """For a release, how many users have approved the text."""
    approvers: int | None
    """For a release, how many users must approve it."""


class WaitingList(Documented):
    """What waits of one kind, the message received first at the top."""

    kind: str
    """`extension`: a department asks for more time. `arbitration`: an arbiter decides who answers. `release`: a joint
    reply waits for approvals. `publication`: nobody has decided whether the hall shows a released reply."""
    cases: list[WaitingCase]
    """The cases of the page."""
    next: str | None
    """The value of `after` for the next page of this kind; null on the last page."""


class WaitingLists(Documented):
    """What waits for a user who decides: a list of each kind about which the role decides."""

    lists: list[WaitingList]
    """The lists, also empty ones."""
