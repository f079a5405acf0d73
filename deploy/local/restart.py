"""When a part that died is started again: soon at first, then more slowly, and never given up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """Waiting times in seconds; a part that was up for `reset_after_s` starts again from `first_s`."""

    first_s: float = 0.5
    longest_s: float = 10.0
    reset_after_s: float = 30.0

    def wait_s(self, last_wait_s: float | None, up_s: float) -> float:
        """How long to wait after a part ended that had been up for `up_s`, its last waiting time being `last_wait_s`."""
        if last_wait_s is None or up_s >= self.reset_after_s:
            return self.first_s
        return min(last_wait_s * 2, self.longest_s)


POLICY = RestartPolicy()
