"""A file as tickets and the desk show it."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from shared.contracts.documented import Documented
from shared.files.links import FileLinks
from shared.files.stored_file import StoredFile


class FileShown(Documented):
    """A file of an inquiry, with links that expire."""

    file_id: str
    """The id of the file."""
    name: str
    """The name of the file, with an ending that fits its type."""
    type: str
    """The media type of the content, such as `image/jpeg`."""
    size: int
    """The size of the content in bytes."""
    link: str | None
    """The path of the content on this service; it works for some minutes. Null while the file waits for the virus
    scanner."""
    thumbnail: str | None
    """The path of a small JPEG of a picture, likewise; null for other files."""


class ReplyFileShown(FileShown):
    """A file of a department, which the resident receives with the answer."""

    department: str
    """The code of the department that sent the file."""


class FileTaken(Documented):
    """The answer to a file that is stored."""

    file_id: str
    """The id of the file; a message refers to it in `files`. Without a message, the file is deleted after a day."""
    name: str
    """The name of the file, as it is stored."""
    type: str
    """The media type of the content."""
    size: int
    """The size of the cleaned content in bytes."""

    @classmethod
    def of(cls, file: StoredFile) -> Self:
        return cls(file_id=file.file_id, name=file.name, type=file.media_type, size=file.content.size)


def file_shown(file: StoredFile, links: FileLinks) -> FileShown:
    """The file as the storage knows it."""
    return FileShown(
        file_id=file.file_id,
        name=file.name,
        type=file.media_type,
        size=file.content.size,
        link=links.link(file.file_id) if file.scanned else None,
        thumbnail=links.thumbnail(file) if file.scanned else None,
    )


def referenced_files(documents: Iterable[Mapping[str, Any]], links: FileLinks) -> list[FileShown]:
    """Files as the references of a service know them, without asking the storage."""
    return [
        FileShown(
            file_id=one["_id"],
            name=one["name"],
            type=one["type"],
            size=one["size"],
            link=None if one.get("unscanned") else links.link(one["_id"]),
            thumbnail=links.link(one["_id"], "thumbnail") if one["thumbnail"] and not one.get("unscanned") else None,
        )
        for one in documents
    ]
