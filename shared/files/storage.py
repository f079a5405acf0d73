"""Where files are stored: a folder, or a bucket of an S3-compatible service. Nothing else imports `obstore`."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from shared.kafka.failures import DependencyUnavailable
from shared.runtime.settings import Settings, secret

S3 = "s3://"
CHUNK_BYTES = 256 * 1024
NO_BUCKET = "NoSuchBucket"
TIMEOUT_S, RETRIES, RETRIES_S = 30, 3, 20
"""Of a request to a bucket. People wait for the answer, so it comes soon."""


class S3Access(NamedTuple):
    """How to reach an S3-compatible service; what is None comes from its usual environment variables."""

    endpoint: str | None
    region: str | None
    key_id: str | None
    secret_key: str | None


class Storage:
    """Objects by path. A path has ids and hashes only. Every write is on the disk when it returns, and safe to repeat.

    Raises DependencyUnavailable when the storage does not answer.
    """

    def __init__(self, objects: ObjectStore, folder: Path | None = None) -> None:
        self._objects = objects
        self._folder = folder

    async def put(self, path: str, content: bytes) -> None:
        """Write a whole object; a reader sees it complete or not at all."""
        try:
            with failures():
                await obstore.put_async(self._objects, path, content)
                if self._folder is not None:
                    await asyncio.to_thread(flush, self._folder, path)
        except FileNotFoundError as error:
            raise unavailable() from error

    async def get(self, path: str) -> bytes | None:
        """The content of an object; None when there is none."""
        try:
            with failures():
                found = await obstore.get_async(self._objects, path)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def read(self, path: str) -> AsyncIterator[bytes] | None:
        """The content in chunks; None when there is no such object."""
        try:
            with failures():
                found = await obstore.get_async(self._objects, path)
        except FileNotFoundError:
            return None

        async def chunks() -> AsyncIterator[bytes]:
            with failures():
                async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                    yield bytes(chunk)

        return chunks()

    async def has(self, path: str) -> bool:
        try:
            with failures():
                await obstore.head_async(self._objects, path)
        except FileNotFoundError:
            return False
        return True

    async def delete(self, path: str) -> None:
        """Delete an object, if there is one."""
        try:
            with failures():
                await obstore.delete_async(self._objects, path)
        except FileNotFoundError as error:
            if self._folder is None:
                # A bucket says nothing about a missing object here, so the bucket itself is missing.
                raise unavailable() from error

    async def paths(self, prefix: str) -> list[str]:
        """The paths of all objects below a prefix, which ends with a slash."""
        try:
            with failures():
                return [one["path"] async for some in obstore.list(self._objects, prefix) for one in some]
        except FileNotFoundError as error:
            raise unavailable() from error


@contextmanager
def failures() -> Iterator[None]:
    """Report every failure of the storage, except a missing object, as an unavailable dependency."""
    try:
        yield
    except FileNotFoundError as error:
        if NO_BUCKET in str(error):
            raise unavailable() from error
        raise
    except (BaseError, OSError) as error:
        raise unavailable() from error


def unavailable() -> DependencyUnavailable:
    """Without the message of the library, which names paths, and with them hashes of what people sent."""
    return DependencyUnavailable("files", "The storage of files is unavailable; try again in a moment.")


def flush(folder: Path, path: str) -> None:
    """Wait until the disk has an object and the folders in which it is."""
    file = folder / path
    for one in (file, *(parent for parent in file.parents if parent == folder or folder in parent.parents)):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def storage_of(settings: Settings) -> Storage | None:
    """The storage that the settings name; None when they name none. Raises ValueError for one that cannot be used."""
    where = settings.files
    if not where:
        return None
    if not where.startswith(S3):
        return folder_storage(Path(where).absolute())
    key = secret(settings.files_secret_file, "CHORUS_FILES_SECRET_FILE").decode() if settings.files_key_id else None
    return bucket_storage(where, S3Access(settings.files_endpoint, settings.files_region, settings.files_key_id, key))


def folder_storage(folder: Path) -> Storage:
    """A folder that only its owner can read. Deleting the last object of a folder below it deletes that folder too."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        objects = LocalStore(folder, automatic_cleanup=True)
    except (OSError, BaseError) as error:
        raise ValueError(f"CHORUS_FILES names {str(folder)!r}, which cannot be used as a folder for files") from error
    return Storage(objects, folder)


def bucket_storage(url: str, access: S3Access) -> Storage:
    named = {"endpoint": access.endpoint, "region": access.region, "access_key_id": access.key_id}
    given = {name: value for name, value in {**named, "secret_access_key": access.secret_key}.items() if value}
    plain = bool(access.endpoint and access.endpoint.startswith("http://"))
    try:
        objects = S3Store.from_url(
            url,
            client_options={"allow_http": plain, "timeout": timedelta(seconds=TIMEOUT_S)},
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRIES_S)},
            **given,  # type: ignore[arg-type]
        )
    except (BaseError, ValueError) as error:
        raise ValueError(f"CHORUS_FILES names {url!r}, which is not a bucket such as s3://chorus/files") from error
    return Storage(objects)
