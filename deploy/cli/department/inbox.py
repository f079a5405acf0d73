"""`chorus inbox CODE`: reads a department's inbox topic and writes its outbox topic, with a plain Kafka client."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from deploy.cli import kafka_login
from deploy.cli.console import FAILED, REFUSED, USAGE, Failure, emit, options, say
from deploy.cli.department.inbox_message import InboxMessage
from deploy.cli.department.topic_client import DepartmentTopics
from deploy.cli.person import By, person
from deploy.security.passwords import department_user
from shared.contracts.department_outbox import (
    PartAccepted,
    PartContributed,
    PartDelegated,
    PartReplied,
    PartReturned,
    ReplyGoAhead,
)
from shared.contracts.envelope import PREFIX
from shared.contracts.extensions import PartExtensionAsked
from shared.contracts.ids import DEPARTMENT_CODE, inquiry_of
from shared.contracts.limits import QUESTION_MAX, TEXT_MAX
from shared.contracts.questions import PartAsked

inbox = typer.Typer(
    help="Read a department's inbox and answer its parts over Kafka: `chorus inbox CODE follow`.", no_args_is_help=True
)

BREAK = re.compile(r"\r\n|\n")
Part = Annotated[str, typer.Argument(help="The part_id, from a part.offered message.")]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for a refusal.")]
Text = Annotated[str | None, typer.Option("--text", help="The text.")]


@inbox.callback()
def chosen(context: typer.Context, code: Annotated[str, typer.Argument(help="The department's code.")]) -> None:
    """Read a department's inbox and answer its parts over Kafka."""
    context.obj = code


@inbox.command()
def follow(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Show all messages, and commit no offsets.")
    ] = False,
) -> None:
    """Show unread messages, then each new one, until Ctrl-C."""
    topics = _topics(context)
    with _until_interrupted():
        for message in topics.replay() if from_beginning else topics.follow(f"departments.{topics.code}.cli"):
            _show(message)


@inbox.command()
def show(context: typer.Context, part: Part) -> None:
    """Show all messages of the inbox about a part."""
    topics = _topics(context)
    _inquiry(part)
    messages = [message for message in topics.so_far() if message.get("part_id") == part]
    if not messages:
        raise Failure(
            FAILED,
            f"The inbox of {topics.code!r} has no part {part!r}: "
            f"`chorus inbox {topics.code} follow --from-beginning` shows all messages.",
        )
    if not options.as_json:
        say(*(line for message in messages for line in block(message)))
    emit([message.document() for message in messages])


@inbox.command()
def accept(context: typer.Context, part: Part, by: By = None, wait: Wait = 3.0) -> None:
    """Accept a part."""
    _write(context, PartAccepted.type, part, {}, by, wait)


@inbox.command()
def contribute(
    context: typer.Context,
    part: Part,
    text: Text = None,
    file: Annotated[Path | None, typer.Option("--file", help="A UTF-8 file with the text.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Send a draft: the part stays open.")] = False,
    by: By = None,
    wait: Wait = 3.0,
) -> None:
    """Contribute the department's text to the joint reply."""
    _write(context, PartContributed.type, part, {"text": _text(text, file), "final": not draft}, by, wait)


@inbox.command()
def reply(context: typer.Context, part: Part, text: Text = None, by: By = None, wait: Wait = 3.0) -> None:
    """Send the resident an interim reply."""
    _write(context, PartReplied.type, part, {"text": _text(text, None)}, by, wait)


@inbox.command()
def ask(context: typer.Context, part: Part, text: Text = None, by: By = None, wait: Wait = 3.0) -> None:
    """Ask the resident: the clocks of the part pause until the answer."""
    _write(context, PartAsked.type, part, {"text": _text(text, None, QUESTION_MAX)}, by, wait)


@inbox.command("ask-extension")
def ask_extension(
    context: typer.Context,
    part: Part,
    until: Annotated[str, typer.Option(help="The new due time with its time zone, such as 2026-12-20T18:00+08:00.")],
    reason: Annotated[str, typer.Option(help="Why the department needs more time.")],
    by: By = None,
    wait: Wait = 3.0,
) -> None:
    """Ask for more time to resolve a part."""
    _write(context, PartExtensionAsked.type, part, {"until": until, "reason": reason}, by, wait)


@inbox.command("return")
def give_back(
    context: typer.Context,
    part: Part,
    reason: Annotated[str, typer.Option(help="One of the city's reasons, for example not-ours or wrong-area.")],
    words: Annotated[str, typer.Option(help="An explanation for the desk and for the next department.")],
    suggest: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The department that may be responsible; an unknown one is refused."),
    ] = None,
    by: By = None,
    wait: Wait = 3.0,
) -> None:
    """Return a part to the city."""
    data = {"reason": reason, "words": words} | ({"suggest": suggest} if suggest else {})
    _write(context, PartReturned.type, part, data, by, wait)


@inbox.command()
def delegate(
    context: typer.Context,
    part: Part,
    to: Annotated[list[str], typer.Option(metavar="CODE", help="An office of the department; repeat it for several.")],
    text: Text = None,
    by: By = None,
    wait: Wait = 3.0,
) -> None:
    """Pass a part, or pieces of it, to offices of the department, which stays responsible."""
    data: dict[str, Any] = {"to": to} | ({"text": text} if text is not None else {})
    _write(context, PartDelegated.type, part, data, by, wait)


@inbox.command("go-ahead")
def go_ahead(context: typer.Context, part: Part, by: By = None, wait: Wait = 3.0) -> None:
    """As the lead, go ahead with the joint reply without co-handlers that are late."""
    _write(context, ReplyGoAhead.type, part, {"inquiry_id": _inquiry(part)}, by, wait)


def _show(message: InboxMessage) -> None:
    if options.as_json:
        emit(message.document())
    else:
        say(*block(message))


def _topics(context: typer.Context) -> DepartmentTopics:
    code = str(context.obj)
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(USAGE, f"{code!r} is not a department code: `chorus department list` shows the codes.")
    return DepartmentTopics(kafka_login.connection(department_user(code)), code)


def _write(context: typer.Context, kind: str, part: str, data: dict[str, Any], by: str | None, wait_s: float) -> None:
    inquiry_id = _inquiry(part)
    value = {"part_id": part, **data, "by": person(by)}
    id_, refused = _topics(context).write(kind, inquiry_id, value, wait_s)
    document = {"event_id": id_, "type": kind, "part_id": part, "inquiry_id": inquiry_id}
    if refused is not None:
        reason, remedy = refused.get("reason"), refused.get("remedy")
        emit(document | {"refused": {"reason": reason, "remedy": remedy}})
        raise Failure(REFUSED, f"Refused: {reason} {remedy}")
    say(f"Sent {kind.removeprefix(PREFIX)} for {part}; it was not refused within {wait_s:g} s.")
    emit(document | {"refused": None})


def _inquiry(part: str) -> str:
    inquiry_id = inquiry_of(part)
    if inquiry_id is None:
        raise Failure(
            USAGE, f"{part!r} is not a part_id: use the part_id of a part.offered, for example 20261122-7F3KQ2MX-p1."
        )
    return inquiry_id


def _text(text: str | None, file: Path | None, most: int = TEXT_MAX) -> str:
    if (text is None) == (file is None):
        raise Failure(USAGE, "Give the text either with --text or with --file.")
    given = text if text is not None else _content(file or Path())
    if not given.strip():
        raise Failure(USAGE, "The text is blank: write at least one character that is not white space.")
    if len(given) > most:
        raise Failure(USAGE, f"The text has {len(given):,} characters: write at most {most:,}.")
    return given


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(FAILED, f"{str(file)!r} is not UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise Failure(FAILED, f"Cannot read {str(file)!r}: {error.strerror}.") from error


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """Leave the block at Ctrl-C or SIGTERM, without an error."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        return


# ── output ───────────────────────────────────────────────────────────────────


def block(message: InboxMessage) -> list[str]:
    """Format a message: a line with type, part and time, then its fields, then long texts."""
    kind = message.type.removeprefix(PREFIX) or "(no ce_type)"
    head = f"── {kind}  {message.get('part_id') or ''}".rstrip()
    if not isinstance(message.data, dict):
        return [head, f"  {message.data}", ""]
    lines = [f"  {name:11} {text}" for name, text in _fields(message.data)]
    long_texts = [str(message.data[name]) for name in ("body", "reply") if message.data.get(name)]
    return [f"{head}  {message.time}", *lines, *(line for text in long_texts for line in _indented(text)), ""]


def _fields(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if name in ("part_id", "body", "reply", "policy_id") or value in (None, [], ""):
            continue
        yield name.replace("_", " "), _flat(value)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items() if one is not None)
    if isinstance(value, list):
        return ("; " if any(isinstance(one, dict) for one in value) else ", ").join(map(_flat, value))
    return str(value)


def _indented(text: str) -> list[str]:
    return ["", *(f"    {line}" for line in BREAK.split(text))]
