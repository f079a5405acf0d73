"""What is known of a stored file: one JSON document in the storage for each file, without its content."""

import re
from hashlib import sha256
from typing import Literal, NamedTuple, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from shared.contracts.fields import FILE_ID_FORM
from shared.files.cleaned import Cleaned
from shared.files.names import file_name

FILE_ID = re.compile(FILE_ID_FORM)
Variant = Literal["content", "thumbnail"]


class Blob(NamedTuple):
    """A content: its SHA-256, its size, and its place in the storage, which is empty until it is stored."""

    sha256: str
    size: int
    place: str = ""

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(sha256(content).hexdigest(), len(content))


class StoredFile(BaseModel):
    """A file. Its name and its hashes are words: an erasure deletes them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    file_id: str
    name: str
    media_type: str
    content: Blob
    thumbnail: Blob | None = None
    scanned: bool = True
    """Whether the virus scanner has passed the file; a file that waits for the scanner is not served."""

    @classmethod
    def new(cls, cleaned: Cleaned, name: str, *, scanned: bool) -> Self:
        """A file with a random id that is not stored yet. `name` is as its sender wrote it."""
        return cls(
            file_id=uuid4().hex,
            name=file_name(name, cleaned.media_type),
            media_type=cleaned.media_type,
            content=Blob.of(cleaned.content),
            thumbnail=Blob.of(cleaned.thumbnail) if cleaned.thumbnail else None,
            scanned=scanned,
        )

    @property
    def hashes(self) -> tuple[str, ...]:
        """The SHA-256 of each content."""
        return (self.content.sha256,) if self.thumbnail is None else (self.content.sha256, self.thumbnail.sha256)

    def blob(self, variant: Variant) -> Blob | None:
        return self.content if variant == "content" else self.thumbnail
