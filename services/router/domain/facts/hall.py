"""Facts of the hall: what the public sees of an inquiry. The hash of a masked version is words, so facts commit to it."""

from typing import NamedTuple

from shared.contracts.commitments import Commitment


class HallPublished(NamedTuple):
    """The hall shows one masked version of the inquiry and its reply.

    `text_hash` commits to the SHA-256 of that version. It is None when the policy publishes automatically: then the version
    that is masked of this decision's reply is shown.
    """

    round: int
    automatic: bool = False
    text_hash: Commitment | None = None
    why: Commitment | None = None


class HallHidden(NamedTuple):
    """The hall does not show the inquiry. `text_hash` commits to the hash of the version that the reviewer had read."""

    round: int
    text_hash: Commitment | None = None
    why: Commitment | None = None


class HallRedacted(NamedTuple):
    """A reviewer hid more words of a masked version; the version without them takes its place."""

    round: int
    text_hash: Commitment | None = None
    words: Commitment | None = None
    why: Commitment | None = None


class Reported(NamedTuple):
    """A reader of the hall reported the entry."""

    round: int
    words: Commitment | None = None
