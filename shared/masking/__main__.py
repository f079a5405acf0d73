"""`python -m shared.masking`: the masking process. It reads cases from standard input and writes the masked texts.

A frame is a length of four bytes and that many bytes of JSON. The process exits at the end of its input, so it never
outlives its parent.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared.masking.case import CaseTexts
from shared.masking.frames import HEAD, framed
from shared.masking.lexical_model import LexicalModel
from shared.masking.masking import mask_case

NICE = 10


def main() -> None:
    answers = _answers()
    _yield_to_others()
    model = LexicalModel()
    for request in _requests(sys.stdin.buffer):
        case = CaseTexts(**{name: tuple(texts) for name, texts in json.loads(request).items()})
        masked = mask_case(case, model)
        answers.write(framed({"written": masked.written, "answers": masked.answers}))
        answers.flush()


def _answers() -> IO[bytes]:
    """Standard output, reserved for answers: the output of libraries goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _yield_to_others() -> None:
    """Sets the lowest CPU priority, and lets the kernel kill this process first if memory is short: mails go first."""
    os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _requests(given: IO[bytes]) -> Iterator[bytes]:
    while len(head := given.read(HEAD.size)) == HEAD.size:
        yield given.read(*HEAD.unpack(head))


if __name__ == "__main__":
    main()
