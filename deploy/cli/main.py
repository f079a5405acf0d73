"""The entry point of the `chorus` command: its subcommands, common options and error handling."""

import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

from deploy.cli.cluster import provision, secrets, up
from deploy.cli.console import Options, emit, options, say
from deploy.cli.demo import demo
from deploy.cli.department import directory, inbox
from deploy.cli.importing import import_file
from deploy.cli.operations import (
    apply,
    case,
    case_command,
    case_enter,
    dead_letters,
    erase,
    hall,
    login,
    mail,
    reconcile,
    route,
    status,
    text,
    timeline,
    triage,
    user,
    worklist,
)
from deploy.failure import DONE, FAILED, USAGE, Failure
from deploy.terminal import sentence_lines, write_lines

app = typer.Typer(
    name="chorus",
    help="Chorus (合唱): many departments, one voice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


# A function is a command, a typer application a group of commands.
app.command()(up.up)
app.command()(status.status)
app.command("import")(import_file.import_file)
app.command()(apply.apply)
app.command()(provision.provision)
app.command()(secrets.secrets)
app.command()(timeline.timeline)
app.command()(route.route)
case.case.command("command")(case_command.command)
case.case.command("enter")(case_enter.enter)
case.case.command("worklist")(worklist.worklist)
app.add_typer(case.case, name="case")
app.add_typer(directory.department, name="department")
app.add_typer(text.text, name="text")
app.add_typer(triage.triage, name="triage")
app.add_typer(user.user, name="user")
app.command()(login.login)
app.command()(login.logout)
app.add_typer(dead_letters.dead_letters, name="dead-letters")
app.add_typer(mail.mail, name="mail")
app.add_typer(hall.hall, name="hall")
app.command()(reconcile.reconcile)
app.command()(erase.erase)
app.add_typer(inbox.inbox, name="inbox")
app.command()(demo.demo)


def run() -> None:
    """Entry point of the program `chorus`."""
    sys.excepthook = _unexpected
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run one command line and print an error sentence if it fails; returns the exit code."""
    vars(options).update(vars(Options()))
    try:
        _command()(arguments, prog_name="chorus")
    except Failure as failure:
        return _failed(failure.code, failure.sentence)
    except UnicodeEncodeError as error:
        part = str(error.object)[error.start : error.end]
        return _failed(USAGE, f"The text {part!r} is not valid UTF-8: write it as UTF-8.")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else DONE
    except BrokenPipeError:
        # The reader of stdout has closed the pipe; /dev/null keeps the interpreter from failing again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return DONE


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one sentence instead of a traceback; the interpreter then exits with status 1."""
    if os.environ.get("CHORUS_DEBUG") == "1":
        write_lines(sys.stderr, *"".join(traceback.format_exception(kind, error, trace)).splitlines())
    lines = str(error).strip().splitlines() or ["no message"]
    _failed(FAILED, f"Unexpected error ({kind.__name__}: {lines[0]}); set CHORUS_DEBUG=1 to see the traceback.")


def _failed(code: int, sentence: str) -> int:
    write_lines(sys.stderr, *sentence_lines(f"chorus: {sentence}"))
    if not options.emitted:
        emit({"error": sentence})
    return code


def _command() -> Any:
    """The command tree, with the common options added to every command."""
    command = typer.main.get_command(app)
    for leaf in _leaves(command):
        known = {name for parameter in leaf.params for name in parameter.opts}
        leaf.params.extend(one for one in _common_options() if not known & set(one.opts))
    return command


def _leaves(command: Any) -> list[Any]:
    children = getattr(command, "commands", {})
    return [leaf for child in children.values() for leaf in _leaves(child)] if children else [command]


def _common_options() -> list[Any]:
    carrier = typer.Typer(add_completion=False)
    carrier.command()(_common)
    return [one for one in typer.main.get_command(carrier).params if "--help" not in one.opts]


@app.callback(invoke_without_command=True)
def _chorus(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout, messages to stderr.")] = False,
) -> None:
    _as_json(as_json)
    if show_version:
        say(f"chorus {version('chorus')}")
        emit({"version": version("chorus")})
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise Failure(USAGE, "No command is given: `chorus --help` lists the commands.")


def _as_json(given: bool) -> None:
    options.as_json = options.as_json or given


def _data(given: Path | None) -> None:
    options.data = given or options.data


def _common(
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON to stdout, messages to stderr.", callback=_as_json, expose_value=False),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="The data folder of the local stack (default: $CHORUS_DATA or .chorus).",
            callback=_data,
            expose_value=False,
        ),
    ] = None,
) -> None: ...


if __name__ == "__main__":
    run()
