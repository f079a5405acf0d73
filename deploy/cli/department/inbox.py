"""`chorus inbox CODE`: a department's work from a terminal, through its own two topics and nothing else."""

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
from deploy.security.passwords import department_user
from shared.contracts.envelope import PREFIX
from shared.contracts.ids import DEPARTMENT_CODE, inquiry_of
from shared.contracts.inputs import PartAccepted, PartContributed, PartReplied, PartReturned
from shared.contracts.limits import TEXT_MAX

inbox = typer.Typer(help="A department's parts, over Kafka: `chorus inbox CODE follow`.", no_args_is_help=True)

BREAK = re.compile(r"\r\n|\n")
Part = Annotated[str, typer.Argument(help="The part_id of a part.offered.")]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for a refusal.")]
Text = Annotated[str | None, typer.Option("--text", help="The words.")]


@inbox.callback()
def chosen(context: typer.Context, code: Annotated[str, typer.Argument(help="The department's code.")]) -> None:
    """A department's parts, over Kafka."""
    context.obj = code


@inbox.command()
def follow(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Everything, without remembering what was read.")
    ] = False,
) -> None:
    """Show what is new, then each message as it comes, until Ctrl-C."""
    box = _box(context)
    with _ended_by_signals():
        for letter in box.replay() if from_beginning else box.follow(f"departments.{box.code}.cli"):
            _tell(letter)


@inbox.command()
def show(context: typer.Context, part: Part) -> None:
    """Everything this inbox holds about a part."""
    box = _box(context)
    _inquiry(part)
    letters = [letter for letter in box.so_far() if letter.get("part_id") == part]
    if not letters:
        raise Failure(
            FAILED, f"The inbox of {box.code!r} holds no part {part!r}: `chorus inbox {box.code} follow` shows all."
        )
    if not options.as_json:
        say(*(line for letter in letters for line in block(letter)))
    emit([letter.document() for letter in letters])


@inbox.command()
def accept(context: typer.Context, part: Part, wait: Wait = 3.0) -> None:
    """Take a part."""
    _write(context, PartAccepted.type, part, {}, wait)


@inbox.command()
def contribute(
    context: typer.Context,
    part: Part,
    text: Text = None,
    file: Annotated[Path | None, typer.Option("--file", help="A UTF-8 file with the words.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Not final: the part stays open.")] = False,
    wait: Wait = 3.0,
) -> None:
    """Hand in the department's share of the answer."""
    _write(context, PartContributed.type, part, {"text": _words(text, file), "final": not draft}, wait)


@inbox.command()
def reply(context: typer.Context, part: Part, text: Text = None, wait: Wait = 3.0) -> None:
    """Give the resident an interim word."""
    _write(context, PartReplied.type, part, {"text": _words(text, None)}, wait)


@inbox.command("return")
def give_back(
    context: typer.Context,
    part: Part,
    reason: Annotated[str, typer.Option(help="Like not-ours or lacks-facts.")],
    words: Annotated[str, typer.Option(help="Why, for the desk.")],
    suggest: Annotated[str | None, typer.Option(metavar="CODE", help="Whose it may be.")] = None,
    wait: Wait = 3.0,
) -> None:
    """Give a part back."""
    data = {"reason": reason, "words": words} | ({"suggest": suggest} if suggest else {})
    _write(context, PartReturned.type, part, data, wait)


def _tell(letter: InboxMessage) -> None:
    """A line of JSON or a block of words, not both: a program that follows needs no second copy."""
    if options.as_json:
        emit(letter.document())
    else:
        say(*block(letter))


def _box(context: typer.Context) -> DepartmentTopics:
    code = str(context.obj)
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(USAGE, f"{code!r} is no department code: `chorus department list` shows them.")
    return DepartmentTopics(kafka_login.connection(department_user(code)), code)


def _write(context: typer.Context, kind: str, part: str, data: dict[str, Any], wait_s: float) -> None:
    box, inquiry_id = _box(context), _inquiry(part)
    id_, refused = box.write(kind, inquiry_id, {"part_id": part, **data}, wait_s)
    told = {"event_id": id_, "type": kind, "part_id": part, "inquiry_id": inquiry_id}
    if refused is not None:
        reason, remedy = refused.get("reason"), refused.get("remedy")
        emit(told | {"refused": {"reason": reason, "remedy": remedy}})
        raise Failure(REFUSED, f"Refused: {reason} {remedy}")
    say(f"{kind.removeprefix(PREFIX)} for {part} is written and no refusal has come back.")
    emit(told | {"refused": None})


def _inquiry(part: str) -> str:
    inquiry_id = inquiry_of(part)
    if inquiry_id is None:
        raise Failure(USAGE, f"{part!r} is no part: write the part_id of a part.offered, like 20261122-7F3KQ2MX-p1.")
    return inquiry_id


def _words(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise Failure(USAGE, "Say the words once: with --text" + (" or --file." if text is None else ", or --file."))
    words = text if text is not None else _content(file or Path())
    if not words.strip():
        raise Failure(USAGE, "The text is blank: write some words.")
    if len(words) > TEXT_MAX:
        raise Failure(USAGE, f"The text has {len(words):,} characters: write at most {TEXT_MAX:,}.")
    return words


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(FAILED, f"{str(file)!r} is not UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise Failure(FAILED, f"{str(file)!r} cannot be read: {error.strerror}.") from error


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what would go on for ever; that is its proper end."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        yield
    except KeyboardInterrupt:
        return


# ── what a person sees ───────────────────────────────────────────────────────


def block(letter: InboxMessage) -> list[str]:
    """A message as a person reads it: a line that says what it is, then its fields, long texts below them."""
    head = (
        f"── {letter.type.removeprefix(PREFIX) or 'a message without a type'}  {letter.get('part_id') or ''}".rstrip()
    )
    if not isinstance(letter.data, dict):
        return [head, f"  {letter.data}", ""]
    lines = [f"  {name:11} {text}" for name, text in _fields(letter.data)]
    texts = [line for name in ("body", "reply") if letter.data.get(name) for line in _indented(str(letter.data[name]))]
    return [f"{head}  {letter.time}", *lines, *texts, ""]


def _fields(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if name in ("part_id", "body", "reply", "policy_id") or value in (None, [], ""):
            continue
        yield name.replace("_", " "), _flat(value)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items() if one is not None)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _indented(text: str) -> list[str]:
    return ["", *(f"    {line}" for line in BREAK.split(text))]
