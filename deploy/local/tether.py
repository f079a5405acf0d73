"""Becomes another program that ends with its parent: `python tether.py PARENT SIGNAL PROGRAM ARGUMENT…`.

Run as a script in a fresh interpreter, because setting this between fork and exec is not safe in a process with threads.
Where the system has no such setting the program simply runs; the next start stops what a killed supervisor left.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, number: int, command: list[str]) -> None:
    """Ask for signal `number` when `parent` dies, then become `command`; the process id stays."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
