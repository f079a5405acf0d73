"""One part's log file, cut off when it grows too long."""

import os
from pathlib import Path
from typing import BinaryIO

LONGEST_BYTES = 20 * 1024 * 1024


class LogFile:
    """Appends; at its longest the file becomes `<name>.1` and a new one begins."""

    def __init__(self, path: Path, longest_bytes: int = LONGEST_BYTES) -> None:
        self._path = path
        self._longest_bytes = longest_bytes
        self._file = self._opened()

    def write(self, content: bytes) -> None:
        """Append, so that it is in the file at once."""
        self._file.write(content)
        if self._file.tell() > self._longest_bytes:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._opened()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _opened(self) -> BinaryIO:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(self._path, "ab", buffering=0, opener=_owners_alone)


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
