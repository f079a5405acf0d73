"""Common functions of all commands: text and JSON output, the addresses of the running stack, HTTP calls to services."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from deploy.failure import DONE, FAILED, PARTIAL, REFUSED, UNAVAILABLE, USAGE, Failure
from deploy.local.ports import Ports
from deploy.local.services import urls
from deploy.local.stack_file import Pids, StackFile, Urls
from deploy.terminal import write_json, write_lines

__all__ = [
    "DONE",
    "FAILED",
    "PARTIAL",
    "REFUSED",
    "UNAVAILABLE",
    "USAGE",
    "Failure",
    "ask",
    "data_folder",
    "emit",
    "say",
    "say_progress",
    "stack",
]

START_ONE = "start it with `make up` or `chorus up`, or set --data or CHORUS_DATA to its data folder"


@dataclass
class Options:
    """The options common to all commands; `deploy.cli.main` sets them."""

    as_json: bool = False
    data: Path | None = None
    emitted: bool = False


options = Options()


def say(*lines: str) -> None:
    """Print lines to stdout, or with `--json` to stderr."""
    write_lines(sys.stderr if options.as_json else sys.stdout, *lines)


def say_progress(line: str) -> None:
    """Print a line about running work to stderr."""
    write_lines(sys.stderr, line)


def emit(document: Any) -> None:
    """With `--json`, print a document as one line; without it, do nothing."""
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
    """The addresses of the running stack; environment variables override `stack.json`, for commands in production.

    Raises Failure when no stack runs and no environment variable names an address.
    """
    running = _running(data_folder() / "stack.json")
    if running is None and not any(map(os.environ.get, OVERRIDES)):
        raise Failure(UNAVAILABLE, f"No stack is running in {str(data_folder())!r}: {START_ONE}.")
    return _overridden(running or _default())


def operator_token() -> str:
    """The operator's token, which every service accepts; raises Failure when it cannot be read."""
    file = stack().operator_token_file
    if not file:
        raise Failure(
            USAGE,
            "No operator token: set CHORUS_OPERATOR_TOKEN_FILE to the file that contains it. For commands that call the "
            "desk only, CHORUS_TOKEN_FILE or `chorus login` is enough.",
        )
    return _token_in(Path(file), "the operator token")


def desk_token() -> str:
    """The token for the desk: of $CHORUS_TOKEN_FILE, else of `chorus login`, else the operator's."""
    if named := os.environ.get("CHORUS_TOKEN_FILE"):
        return _token_in(Path(named), "the token of CHORUS_TOKEN_FILE")
    stored = login_file()
    return _token_in(stored, "the token of `chorus login`") if stored.exists() else operator_token()


def login_file() -> Path:
    """Where `chorus login` stores a token: in the data folder of a local stack, else for the address of this desk."""
    if not os.environ.get("CHORUS_ROUTER_URL") and (data_folder() / "stack.json").exists():
        return data_folder() / "secrets" / "login-token"
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    desk = urlsplit(stack().urls.router)
    return home / "chorus" / "tokens" / re.sub(r"[^A-Za-z0-9.-]", "_", f"{desk.scheme}_{desk.netloc}")


def _token_in(file: Path, what: str) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Failure(FAILED, f"Cannot read {what} in {str(file)!r}: {why}.") from error
    if not sendable(token):
        raise Failure(
            FAILED, f"The file {str(file)!r} does not contain {what}: it must hold one line of printable ASCII."
        )
    return token


def sendable(token: str) -> bool:
    """Whether an HTTP header can carry this token."""
    return token.isascii() and token.isprintable() and bool(token)


def ask(method: str, url: str, *, operator: bool = False, timeout_s: float = 30.0, **request: Any) -> httpx.Response:
    """Call a service; raises Failure 3 for no answer or a 5xx status, Failure 4 with the service's message for 4xx.

    With `operator`, the desk gets the token of the user that this command acts as, every other service the operator's.
    """
    if operator:
        token = desk_token() if url.startswith(f"{stack().urls.router}/") else operator_token()
        request["headers"] = {**request.get("headers", {}), "Authorization": f"Bearer {token}"}
    try:
        answer = httpx.request(method, url, timeout=timeout_s, trust_env=False, **request)
    except httpx.TransportError as error:
        raise Failure(
            UNAVAILABLE, f"No answer from {url!r} ({error}): check with `chorus status` whether the stack runs."
        ) from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Failure(UNAVAILABLE, f"{method} {url!r} failed ({answer.status_code}): {problem(answer)}")
    if answer.is_error:
        raise Failure(REFUSED, f"{method} {url!r} was rejected ({answer.status_code}): {problem(answer)}")
    return answer


def problem(answer: httpx.Response) -> str:
    """The details of an `application/problem+json` response, or the text of another response."""
    try:
        document = answer.json()
        details = [field_detail(one.get("pointer", ""), one["detail"]) for one in document.get("errors", [])]
        return "; ".join(details) or str(document.get("detail") or document.get("title") or answer.text[:300])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:300] or answer.reason_phrase


def field_detail(pointer: str, detail: str) -> str:
    """The detail, after its pointer unless the detail itself begins with the field's name."""
    field = pointer.strip("/").partition("/")[0]
    return detail if field and detail.startswith(field) else f"{pointer} {detail}".strip()


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
            FAILED, f"{str(file)!r} is unreadable or not a valid stack.json: restart the stack to write it again."
        ) from error
    return None if found.stale() else found


def _default() -> StackFile:
    """A stack on the default ports, for addresses that the environment does not name."""
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
