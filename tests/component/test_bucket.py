"""The storage in a bucket: against a server that speaks S3 over HTTP and checks signatures."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from shared.files.cleaning import cleaned
from shared.files.file_store import FileStore
from shared.files.storage import S3Access, Storage, bucket_storage, storage_of
from shared.files.stored_file import StoredFile
from shared.kafka.failures import DependencyUnavailable
from shared.runtime.settings import Settings
from tests.sample_files import SECRETS, photo

BUCKET, REGION = "chorus", "cn-north-1"
ALL_OF_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
OBJECTS = 1_001
"""More than one page of a list."""


class S3(NamedTuple):
    """A running server with an empty bucket, and a key that it accepts."""

    server: ThreadedMotoServer
    access: S3Access

    def storage(self, bucket: str = BUCKET, **other: str) -> Storage:
        return bucket_storage(f"s3://{bucket}/files", self.access._replace(**other))


@pytest.fixture
def s3() -> Iterator[S3]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    anybody = {"endpoint_url": url, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    people = boto3.client("iam", **anybody)
    people.create_user(UserName="chorus")
    people.put_user_policy(UserName="chorus", PolicyName="all", PolicyDocument=json.dumps(ALL_OF_S3))
    key = people.create_access_key(UserName="chorus")["AccessKey"]
    where = {"LocationConstraint": REGION}
    boto3.client("s3", **anybody).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    # From now on the server refuses every request without a right signature.
    httpx.post(f"{url}/moto-api/reset-auth", content="0").raise_for_status()
    yield S3(server, S3Access(url, REGION, key["AccessKeyId"], key["SecretAccessKey"]))
    httpx.post(f"{url}/moto-api/reset-auth", content="inf").raise_for_status()
    server.stop()


async def all_of(storage: Storage, path: str) -> bytes | None:
    chunks = await storage.read(path)
    return None if chunks is None else b"".join([one async for one in chunks])


async def test_objects_are_stored_read_listed_and_deleted(s3: S3) -> None:
    storage, content = s3.storage(), b"x" * 700_000
    await storage.put("blobs/one", content)
    await storage.put("blobs/one", content)
    assert (await storage.get("blobs/one"), await all_of(storage, "blobs/one")) == (content, content)
    assert (await storage.has("blobs/one"), await storage.has("blobs/two")) == (True, False)
    assert (await storage.get("blobs/two"), await storage.read("blobs/two")) == (None, None)
    assert (await storage.paths("blobs/"), await storage.paths("files/")) == (["blobs/one"], [])
    for _ in range(2):
        await storage.delete("blobs/one")
    assert (await storage.has("blobs/one"), await storage.paths("blobs/")) == (False, [])


async def test_a_list_has_more_than_one_page(s3: S3) -> None:
    storage = s3.storage()
    some = asyncio.Semaphore(20)

    async def put(number: int) -> None:
        async with some:
            await storage.put(f"blobs/{number:04}", b"")

    await asyncio.gather(*map(put, range(OBJECTS)))
    assert len(await storage.paths("blobs/")) == OBJECTS


async def test_files_share_a_content_until_the_last_one_is_deleted(s3: S3) -> None:
    store, picture = FileStore(s3.storage()), cleaned(io.BytesIO(photo()))
    first, second = (StoredFile.new(picture, name, scanned=True) for name in ("a.jpg", "路灯.jpg"))
    for one in (first, second):
        await store.add(one, picture)
    stored = await store.storage.paths("blobs/")
    assert len([one for one in stored if one.endswith("/content")]) == 2, "the picture and its thumbnail"
    assert [one for one in SECRETS if one.decode(errors="replace") in str(stored)] == []
    await store.remove(first.file_id)
    left = await store.find(second.file_id)
    assert left is not None
    chunks = await store.read(left)
    assert chunks is not None
    assert b"".join([one async for one in chunks]) == picture.content
    await store.remove(second.file_id)
    assert await store.storage.paths("files/") == await store.storage.paths("blobs/") == []


@pytest.mark.parametrize("other", [{"secret_key": "wrong"}, {"key_id": "AKIAUNKNOWN000000000"}, {"bucket": "missing"}])
async def test_a_bucket_that_cannot_be_used_is_unavailable_and_says_no_path(s3: S3, other: dict[str, str]) -> None:
    storage = s3.storage(**other)
    for act in (storage.put("blobs/one", b"x"), storage.get("blobs/one"), storage.paths("blobs/")):
        with pytest.raises(DependencyUnavailable) as raised:
            await act
        assert "blobs" not in str(raised.value)
    with pytest.raises(DependencyUnavailable):
        await storage.delete("blobs/one")


async def test_a_bucket_that_does_not_answer_is_unavailable_soon(s3: S3) -> None:
    storage = s3.storage(endpoint="http://127.0.0.1:9")
    async with asyncio.timeout(20):
        with pytest.raises(DependencyUnavailable):
            await storage.get("blobs/one")


async def test_the_settings_name_the_bucket_and_its_key(s3: S3, settings: Settings, tmp_path: Path) -> None:
    assert s3.access.secret_key is not None
    (tmp_path / "key").write_text(s3.access.secret_key, "utf-8")
    given = {"files": f"s3://{BUCKET}/files", "files_endpoint": s3.access.endpoint, "files_region": REGION}
    more: dict[str, Any] = {"files_key_id": s3.access.key_id, "files_secret_file": tmp_path / "key"}
    storage = storage_of(settings.model_copy(update=given | more))
    assert storage is not None
    await storage.put("blobs/one", b"x")
    assert await s3.storage().get("blobs/one") == b"x"
