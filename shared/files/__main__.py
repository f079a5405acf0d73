"""Cleans the file on standard input, in a process of its own with limits: `python -m shared.files`.

Writes one line of JSON, then the cleaned file, then the thumbnail. The decoders are written in C and read what strangers
send. So this process has no settings and no secrets, little memory and little time, and cleans one file only.
"""

import json
import resource
import sys

from shared.files.cleaning import cleaned
from shared.files.limits import CLEANED_BYTES_MAX
from shared.files.refusals import FileRefused

MEMORY_BYTES = 1_280 * 1024 * 1024
"""Address space; the largest picture takes half a gigabyte of memory."""
CPU_S = 20
LIMITS = (
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_FSIZE, 2 * CLEANED_BYTES_MAX),
    (resource.RLIMIT_CORE, 0),
)


def main() -> None:
    for limit, most in LIMITS:
        resource.setrlimit(limit, (most, most))
    content, thumbnail = b"", b""
    try:
        result = cleaned(sys.stdin.buffer)
        content, thumbnail = result.content, result.thumbnail or b""
        head = {"type": result.media_type, "content": len(content), "thumbnail": len(thumbnail)}
    except FileRefused as refused:
        head = {"refused": refused.code}
    except (MemoryError, RecursionError):
        head = {"refused": "too-long"}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content + thumbnail)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
