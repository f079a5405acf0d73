"""The machine of a result, without its name, and the versions of all software."""

import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import confluent_kafka
import psutil
from pymongo import MongoClient

from deploy.local import jars
from tests.benchmarks.contest import RIVALS_PYTHON

LIBRARIES = (
    "aiokafka",
    "faststream",
    "confluent-kafka",
    "motor",
    "pymongo",
    "pydantic",
    "starlette",
    "fastapi",
    "uvicorn",
    "httptools",
    "h11",
    "uvloop",
)
RIVALS = ("quixstreams", "faust-streaming", "confluent-kafka", "aiokafka")


def machine() -> dict[str, Any]:
    """Cores, processor, memory, kernel, Python."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def versions(mongodb: str) -> dict[str, Any]:
    """Broker, store and client libraries; those of the compared libraries from their own environment."""
    return {
        "kafka": jars.pinned().version,
        "store": _store(mongodb),
        "librdkafka": confluent_kafka.libversion()[0],
        **{name: version for name in LIBRARIES if (version := _installed(name))},
        "rivals": _of_rivals(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _store(mongodb: str) -> str:
    client: MongoClient[dict[str, object]] = MongoClient(mongodb)
    try:
        return str(client.server_info()["version"])
    finally:
        client.close()


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _of_rivals() -> dict[str, str]:
    if not RIVALS_PYTHON.exists():
        return {}
    said = subprocess.run([RIVALS_PYTHON, "-m", "pip", "list", "--format=json"], capture_output=True, check=True).stdout
    return {one["name"]: one["version"] for one in json.loads(said) if one["name"] in RIVALS}
