"""The bodies of requests about dead letters."""

from typing import Annotated

from pydantic import ConfigDict, Field

from shared.contracts.documented import Documented

IDS_MAX = 200
By = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]


class DeadLetterReplayBody(Documented):
    """The body of `POST /dead-letters/{id}/replay`."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"
    """Who replays, 1 to 100 characters. Only counts for the shared user `operator`; others act under their own name."""
    anyway: bool = False
    """Replay the dead letter even if it was replayed or discarded before."""


class DeadLetterReplaysBody(DeadLetterReplayBody):
    """The body of `POST /replays`."""

    ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=IDS_MAX)]
    """The ids of 1 to 200 dead letters."""
    dry_run: bool = False
    """Only report what a replay would do."""


class DiscardBody(Documented):
    """The body of `POST /dead-letters/{id}/discard`."""

    model_config = ConfigDict(extra="forbid")
    why: Words
    """The reason, 1 to 2,000 characters."""
    by: By
    """Who discards, 1 to 100 characters. Only counts for the shared user `operator`; others act under their own name."""
