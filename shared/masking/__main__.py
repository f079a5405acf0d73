"""`python -m shared.masking`: the process that masks. It reads cases on standard input and writes them masked.

A frame is four bytes, the length, and that much JSON. At the end of its input, which is when whoever started it has
ended, however it ended, it ends too.
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
    """Standard output, for answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _yield_to_others() -> None:
    """Mails go first: this process takes the time that is left, and is the first to go when memory is short."""
    os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _requests(given: IO[bytes]) -> Iterator[bytes]:
    while len(head := given.read(HEAD.size)) == HEAD.size:
        yield given.read(*HEAD.unpack(head))


if __name__ == "__main__":
    main()
