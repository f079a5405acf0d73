"""Links to files that expire: the address of a file contains the time and a signature, and needs no token."""

import hmac
import re
import time
from collections.abc import Callable
from hashlib import sha256

from shared.files.stored_file import FILE_ID, StoredFile, Variant

PURPOSE = b"links to files"
EXPIRES = re.compile(r"[0-9]{1,12}")
SIGNATURE = re.compile(r"[0-9a-f]{64}")


class LinkExpired(Exception):
    """The link was right, and its time is over."""


class FileLinks:
    """Signs and checks links. The key is derived from a secret of the service, so it is of no use for anything else."""

    def __init__(self, secret: bytes, valid_s: int, now: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(secret, PURPOSE, "sha256")
        self._valid_s = valid_s
        self._now = now

    def link(self, file_id: str, variant: Variant = "content") -> str:
        """The path of a content on this service, with its query."""
        expires = str(int(self._now()) + self._valid_s)
        return f"/files/{file_id}/{variant}?expires={expires}&signature={self._signature(file_id, variant, expires)}"

    def thumbnail(self, file: StoredFile) -> str | None:
        """The path of the thumbnail; None when the file has none."""
        return self.link(file.file_id, "thumbnail") if file.thumbnail is not None else None

    def allows(self, file_id: str, variant: Variant, expires: str, signature: str) -> bool:
        """Whether the link is right. Raises LinkExpired when it was."""
        if not (FILE_ID.fullmatch(file_id) and EXPIRES.fullmatch(expires) and SIGNATURE.fullmatch(signature)):
            return False
        if not hmac.compare_digest(self._signature(file_id, variant, expires), signature):
            return False
        if int(expires) < self._now():
            raise LinkExpired
        return True

    def _signature(self, file_id: str, variant: Variant, expires: str) -> str:
        return hmac.new(self._key, f"{variant}/{file_id}/{expires}".encode(), sha256).hexdigest()
