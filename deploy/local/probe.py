"""Readiness probes for each component: a probe returns "" when the component answers, otherwise the reason."""

import socket
import struct

import httpx
from pymongo import MongoClient
from pymongo.errors import PyMongoError

TIMEOUT_S = 1.0
API_VERSIONS = 18


def kafka(bootstrap: str) -> str:
    """Send an ApiVersions request, the first request of every Kafka client; one broker of the list must answer."""
    reasons = [_broker(address.strip()) for address in bootstrap.split(",")]
    return "" if "" in reasons else "; ".join(reasons)


def listens(bootstrap: str) -> bool:
    """Whether one of these addresses accepts TCP connections."""
    for address in bootstrap.split(","):
        try:
            socket.create_connection(_split(address.strip()), TIMEOUT_S).close()
        except (OSError, ValueError):
            continue
        return True
    return False


def store(uri: str) -> str:
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=int(TIMEOUT_S * 1000))
    try:
        client.admin.command("ping")
    except PyMongoError as error:
        return f"no answer to a ping: {str(error).split(',', 1)[0]}"
    finally:
        client.close()
    return ""


def smtp(address: str) -> str:
    """Wait for the SMTP greeting 220."""
    try:
        with socket.create_connection(_split(address), TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            greeting = connection.recv(3)
    except (OSError, ValueError) as error:
        return f"no greeting at {address}: {_reason(error)}"
    return "" if greeting == b"220" else f"no greeting at {address}"


def service(url: str) -> str:
    """Ask `/readyz`; the reason is the service's own."""
    try:
        # Without TLS: loading the certificate authorities takes longer than the whole probe.
        answer = httpx.get(f"{url}/readyz", timeout=TIMEOUT_S * 2, trust_env=False, verify=False)
    except httpx.HTTPError as error:
        return f"no answer from {url}: {_reason(error)}"
    if answer.status_code == httpx.codes.OK:
        return ""
    try:
        return "; ".join(str(reason) for reason in answer.json()["reasons"]) or "not ready"
    except (ValueError, KeyError, TypeError):
        return f"/readyz returned {answer.status_code}"


def _broker(address: str) -> str:
    request = struct.pack(">hhih", API_VERSIONS, 0, 1, 6) + b"chorus"
    try:
        with socket.create_connection(_split(address), TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except (OSError, ValueError) as error:
        return f"no answer from {address}: {_reason(error)}"
    return "" if len(answer) == 10 and answer[8:] == b"\0\0" else f"{address} does not speak Kafka"


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
