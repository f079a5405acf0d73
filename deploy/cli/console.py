"""What every command shares: words and JSON on the right stream, the running stack, calls that fail with a sentence."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from deploy.failure import AWAY, DONE, FAILED, PARTLY, REFUSED, USAGE, Failure
from deploy.local.ports import Ports
from deploy.local.services import urls
from deploy.local.stack_file import Pids, StackFile, Urls
from deploy.terminal import write_json, write_lines

__all__ = [
    "AWAY",
    "DONE",
    "FAILED",
    "PARTLY",
    "REFUSED",
    "USAGE",
    "Failure",
    "ask",
    "data_folder",
    "emit",
    "say",
    "say_progress",
    "stack",
]

START_ONE = "start one with `make up` or `chorus up`, or name its folder with --data or CHORUS_DATA"


@dataclass
class Options:
    """What was given on this command line to whatever command: set by `deploy.cli.main`."""

    as_json: bool = False
    data: Path | None = None
    emitted: bool = False


options = Options()


def say(*lines: str) -> None:
    """Lines for a person: on standard output, or on standard error when that carries JSON."""
    write_lines(sys.stderr if options.as_json else sys.stdout, *lines)


def say_progress(line: str) -> None:
    """A line about work that goes on: always on standard error."""
    write_lines(sys.stderr, line)


def emit(document: Any) -> None:
    """With `--json`: the document of this command, or one line of several; nothing without."""
    if not options.as_json:
        return
    if isinstance(document, BaseModel):
        document = document.model_dump(mode="json")
    write_json(sys.stdout, document)
    options.emitted = True


def data_folder() -> Path:
    """--data, else $CHORUS_DATA, else .chorus."""
    return (options.data or Path(os.environ.get("CHORUS_DATA") or ".chorus")).expanduser().absolute()


def stack() -> StackFile:
    """The running stack; what the environment names wins, so that commands work in production too.

    Raises Failure when no stack runs and the environment names none of its addresses.
    """
    running = _running(data_folder() / "stack.json")
    if running is None and not any(map(os.environ.get, OVERRIDES)):
        raise Failure(AWAY, f"No stack runs on {str(data_folder())!r}: {START_ONE}.")
    return _overridden(running or _default())


def operator_token() -> str:
    """The operator's token for the desk; raises Failure when it cannot be read."""
    file = stack().operator_token_file
    if not file:
        raise Failure(USAGE, "No operator token: point CHORUS_OPERATOR_TOKEN_FILE to the file that holds it.")
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise Failure(FAILED, f"The operator token in {file!r} cannot be read: {error.strerror}.") from error


def ask(method: str, url: str, *, operator: bool = False, timeout_s: float = 30.0, **request: Any) -> httpx.Response:
    """Call a service; raises Failure 3 when it does not answer or cannot work, 4 with its own words when it refuses."""
    if operator:
        request["headers"] = {**request.get("headers", {}), "Authorization": f"Bearer {operator_token()}"}
    try:
        answer = httpx.request(method, url, timeout=timeout_s, trust_env=False, **request)
    except httpx.TransportError as error:
        raise Failure(AWAY, f"No answer from {url!r} ({error}): does the stack run? `chorus status` says.") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Failure(AWAY, f"{url!r} cannot do that now ({answer.status_code}): {problem(answer)}")
    if answer.is_error:
        raise Failure(REFUSED, f"{method} {url!r} was refused ({answer.status_code}): {problem(answer)}")
    return answer


def problem(answer: httpx.Response) -> str:
    """The words of an `application/problem+json` answer, else its text."""
    try:
        told = answer.json()
        details = [f"{one.get('pointer', '')} {one['detail']}".strip() for one in told.get("errors", [])]
        return "; ".join(details) or str(told.get("detail") or told.get("title") or answer.text[:300])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:300] or answer.reason_phrase


OVERRIDES = {
    "CHORUS_KAFKA": "kafka",
    "CHORUS_MONGODB": "mongodb",
    "CHORUS_SMTP": "smtp",
    "CHORUS_OPERATOR_TOKEN_FILE": "operator_token_file",
    "CHORUS_INTAKE_URL": "intake",
    "CHORUS_ROUTER_URL": "router",
    "CHORUS_NOTIFIER_URL": "notifier",
    "CHORUS_SCORER_URL": "scorer",
}


def _running(file: Path) -> StackFile | None:
    try:
        found = StackFile.model_validate_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise Failure(
            FAILED, f"{str(file)!r} cannot be read as a stack's description: start the stack again."
        ) from error
    return None if found.stale() else found


def _default() -> StackFile:
    """Where a stack with the default ports would be: the rest of a production whose environment names only some."""
    ports = Ports()
    return StackFile(
        kafka=f"127.0.0.1:{ports.kafka}",
        mongodb=f"mongodb://127.0.0.1:{ports.mongodb}",
        smtp=f"127.0.0.1:{ports.smtp}",
        mail=None,
        urls=Urls(**urls(ports)),
        pids=Pids(),
        operator_token_file="",
    )


def _overridden(found: StackFile) -> StackFile:
    named = {field: os.environ[name].rstrip("/") for name, field in OVERRIDES.items() if os.environ.get(name)}
    in_urls = {field: value for field, value in named.items() if field in Urls.model_fields}
    at_top = {field: value for field, value in named.items() if field not in in_urls}
    return found.model_copy(update={**at_top, "urls": found.urls.model_copy(update=in_urls)})
