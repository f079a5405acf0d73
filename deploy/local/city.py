"""Applies the city folder to a local stack: at the first start, and whenever the folder has changed."""

import asyncio
import hashlib
import os
from pathlib import Path

import httpx

from deploy.failure import REFUSED, Failure
from deploy.security.files import replace_file
from shared.city import City, CityError, load_city

RETRY_S = 0.2
SAMPLE = Path(__file__).parents[1] / "city"


def city_folder() -> Path:
    """$CHORUS_CITY, or the sample city."""
    return Path(os.environ.get("CHORUS_CITY") or SAMPLE)


def read_city(folder: Path) -> City:
    """Load and validate the city; raises Failure with the first problem."""
    try:
        return load_city(folder)
    except CityError as error:
        more = (
            f" ({len(error.problems) - 1} more: `chorus apply --check {folder}` lists them)"
            if error.problems[1:]
            else ""
        )
        raise Failure(REFUSED, f"The city in {str(folder)!r} is invalid: {error.problems[0]}{more}") from error


def content_hash(folder: Path) -> str:
    """SHA-256 of all file names and contents in the folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = str(file.relative_to(folder)).encode(), file.read_bytes()
        digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return digest.hexdigest()


async def apply_if_changed(folder: Path, city: City, applied: Path, router: str, token: Path) -> bool:
    """Apply the city unless the file `applied` has the hash of this content; returns whether it was applied.

    Applying unchanged content again would overwrite changes made at run time with `chorus department add`.
    """
    now = content_hash(folder)
    if applied.exists() and applied.read_text("ascii").strip() == now:
        return False
    await _post(city, router, token)
    replace_file(applied, now + "\n")
    return True


async def _post(city: City, router: str, token: Path) -> None:
    headers = {"Authorization": f"Bearer {token.read_text('ascii').strip()}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
        while True:
            try:
                answer = await client.post(f"{router}/city", content=city.model_dump_json(), headers=headers)
            except httpx.TransportError:  # the router is starting or restarting
                await asyncio.sleep(RETRY_S)
                continue
            if answer.is_success:
                return
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                raise Failure(REFUSED, f"The router rejected the city with {answer.status_code}: {answer.text[:500]}")
            await asyncio.sleep(RETRY_S)
