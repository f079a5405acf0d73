"""The restart policy of the supervisor: exponential backoff without a limit on restarts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """Waiting times in seconds; after `reset_after_s` of uptime the backoff begins again with `first_s`."""

    first_s: float = 0.5
    longest_s: float = 10.0
    reset_after_s: float = 30.0

    def wait_s(self, last_wait_s: float | None, up_s: float) -> float:
        """The wait before restarting a process that ran for `up_s`; `last_wait_s` was its previous wait."""
        if last_wait_s is None or up_s >= self.reset_after_s:
            return self.first_s
        return min(last_wait_s * 2, self.longest_s)


POLICY = RestartPolicy()
