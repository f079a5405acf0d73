"""What the case knows of the hall. The masked versions themselves are in the notifier; here are only their hashes."""

from typing import NamedTuple


class HallState(NamedTuple):
    """The decisions about the hall. A hash is the SHA-256 of a masked version, in hexadecimal.

    `automatic` is the policy at the last release. `due` means that the last text was released, or changed, and that the
    policy publishes it; `waiting`, that a person decides, and has not yet. `reports` counts the reports of readers since
    the last decision of a person.
    """

    shown: bool = False
    published: str | None = None
    automatic: bool = False
    due: bool = False
    waiting: bool = False
    is_hidden: bool = False
    hidden: frozenset[str] = frozenset()
    redacted: frozenset[str] = frozenset()
    reports: int = 0

    def released_with(self, automatic: bool) -> "HallState":
        """After a release under this policy."""
        return self._replace(automatic=automatic, due=automatic, waiting=not automatic)

    def changed(self) -> "HallState":
        """After the released text changed: what the policy published once, it publishes again."""
        return self._replace(due=self.automatic, waiting=not self.automatic)


NO_HALL = HallState()
