"""Runs a program that gets a signal when its parent dies: `python die_with_parent.py PARENT SIGNAL PROGRAM ARGUMENT…`.

It is a script with its own interpreter because code between fork and exec is unsafe in a process with threads. Without
PR_SET_PDEATHSIG (outside Linux) the program runs all the same, and the next start stops orphans.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, number: int, command: list[str]) -> None:
    """Request signal `number` for the death of `parent`, then exec `command` in the same process."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
