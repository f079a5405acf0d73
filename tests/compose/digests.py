"""The label `chorus.files` in docker-compose.yml: a digest of the files that a container mounts from the repository.

`python -m tests.compose.digests` (`make compose-labels`) writes the digests into the file.
"""

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.compose.file import REPOSITORY, filled

LABEL = "chorus.files"
# Read by one-shots, which run in a new container each time; the folder of channels stands for one of the city's own.
READ_ANEW = ("./deploy/city", "./deploy/secrets", "./deploy/channels")


def mounted(compose: dict[str, Any], part: str) -> list[str]:
    """The repository paths that a container mounts: the files of its configs, the folders of its volumes."""
    told = compose["services"][part]
    configs = [compose["configs"][one["source"]]["file"] for one in told.get("configs", [])]
    volumes = [one["source"] if isinstance(one, dict) else filled(one).split(":")[0] for one in told.get("volumes", [])]
    return [*configs, *(one for one in volumes if one.startswith("./") and not one.startswith(READ_ANEW))]


def digest(root: Path, paths: list[str], passed_over: Sequence[str] = ()) -> str:
    """Twelve hexadecimal digits of the SHA-256 over names and contents of these files."""
    total = hashlib.sha256()
    for file in sorted(one for path in paths for one in files(root / path)):
        if set(passed_over) & set(file.relative_to(root.resolve()).parts):
            continue
        content = file.read_bytes()
        total.update(f"{file.relative_to(root.resolve())} {len(content)}\n".encode() + content)
    return total.hexdigest()[:12]


def files(path: Path) -> Iterator[Path]:
    """The file itself, or every file below the folder."""
    path = path.resolve()
    yield from (one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def wanted(root: Path) -> dict[str, str]:
    """The expected label of each container with mounted files."""
    compose = yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))
    paths = {part: mounted(compose, part) for part in compose["services"]}
    return {part: digest(root, found) for part, found in paths.items() if found}


def write(root: Path) -> list[str]:
    """Write the digests into docker-compose.yml; returns the containers whose label changed."""
    file = root / "docker-compose.yml"
    text, right = file.read_text("utf-8"), wanted(root)
    services = yaml.safe_load(text)["services"]
    wrong = {part: told for part, told in right.items() if services[part]["labels"][LABEL] != told}
    for part, told in wrong.items():
        # All brokers share the label in the block `x-kafka`.
        block = "x-kafka" if part.startswith("kafka") else f"  {part}"
        pattern = rf'(^{block}:.*?{re.escape(LABEL)}: ")[0-9a-f]{{12}}"'
        text = re.sub(pattern, rf'\g<1>{told}"', text, count=1, flags=re.DOTALL | re.MULTILINE)
    file.write_text(text, "utf-8")
    return sorted(wrong)


if __name__ == "__main__":
    for name in write(Path(sys.argv[1]) if sys.argv[1:] else REPOSITORY):
        print(f"{name}: its mounted files have changed, and so has its label {LABEL!r}.")
