"""The log file of one component, rotated by size."""

import os
from pathlib import Path
from typing import BinaryIO

LONGEST_BYTES = 20 * 1024 * 1024


class LogFile:
    """Appends unbuffered; beyond `longest_bytes` the file is renamed to `<name>.1`, replacing an older one."""

    def __init__(self, path: Path, longest_bytes: int = LONGEST_BYTES) -> None:
        self._path = path
        self._longest_bytes = longest_bytes
        self._file = self._opened()

    def write(self, content: bytes) -> None:
        self._file.write(content)
        if self._file.tell() > self._longest_bytes:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._opened()

    def close(self) -> None:
        self._file.close()

    def _opened(self) -> BinaryIO:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(self._path, "ab", buffering=0, opener=_owners_alone)


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
