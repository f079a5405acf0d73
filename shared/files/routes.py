"""The addresses of files: a link that has not expired is enough to read one. The file is saved, never opened."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from shared.files.file_store import FileStore
from shared.files.links import FileLinks, LinkExpired
from shared.files.names import disposition
from shared.files.stored_file import StoredFile, Variant
from shared.http.problems import Problem, documented
from shared.http.query_fields import KNOWN_FIELDS_ONLY

THUMBNAIL_TYPE = "image/jpeg"
NO_FILE = "There is no file at this address; take the link from the ticket or the case again."
HEADERS: Mapping[str, str] = {
    # Even a browser that opens the file runs nothing in it.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "none",
    "X-Robots-Tag": "noindex",
}
FileIdPath = Annotated[str, Path(description="The id of a file.")]
Expires = Annotated[str, Query(description="When the link expires, in seconds since 1970.")]
Signature = Annotated[str, Query(description="The signature of the link.")]


class FileContent(StreamingResponse):
    """The content of a file."""

    media_type = "application/octet-stream"


def content_routes(store: FileStore, links: FileLinks) -> APIRouter:
    """`GET /files/{file_id}/content` and `/thumbnail`."""
    api = APIRouter(tags=["files"], dependencies=[KNOWN_FIELDS_ONLY], responses=documented(404, 410, 422, 503))

    @api.get("/files/{file_id}/content", response_class=FileContent, summary="The content of a file, by its link")
    async def content(file_id: FileIdPath, expires: Expires = "", signature: Signature = "") -> Response:
        return await served(store, links, file_id, "content", expires, signature)

    @api.get("/files/{file_id}/thumbnail", response_class=FileContent, summary="A small JPEG of a picture, by its link")
    async def thumbnail(file_id: FileIdPath, expires: Expires = "", signature: Signature = "") -> Response:
        return await served(store, links, file_id, "thumbnail", expires, signature)

    return api


async def served(
    store: FileStore, links: FileLinks, file_id: str, variant: Variant, expires: str, signature: str
) -> Response:
    """A content. Raises Problem 404 for a wrong link or an unknown file, 410 for a link that has expired."""
    try:
        allowed = links.allows(file_id, variant, expires, signature)
    except LinkExpired as error:
        raise Problem(410, "This link has expired; open the ticket or the case again.") from error
    file = await store.find(file_id) if allowed else None
    if file is None or not file.scanned:
        raise Problem(404, NO_FILE)
    return await content_of(store, file, variant)


async def content_of(store: FileStore, file: StoredFile, variant: Variant = "content") -> Response:
    """The answer with a content, which a browser saves under the name of the file. Raises Problem 404."""
    chunks, blob = await store.read(file, variant), file.blob(variant)
    if chunks is None or blob is None:
        raise Problem(404, NO_FILE)
    media_type = file.media_type if variant == "content" else THUMBNAIL_TYPE
    headers = {**HEADERS, "Content-Disposition": disposition(file.name), "Content-Length": str(blob.size)}
    return FileContent(chunks, media_type=media_type, headers=headers)
