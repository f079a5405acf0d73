"""The `chorus` command: which groups there are, what every command accepts, and how an error ends."""

import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

from deploy.cli.cluster import provision, secrets, up
from deploy.cli.console import Options, emit, options
from deploy.cli.demo import demo
from deploy.cli.department import directory, inbox
from deploy.cli.importing import import_file
from deploy.cli.operations import apply, dead_letters, reconcile, status, timeline, triage
from deploy.failure import DONE, FAILED, Failure
from deploy.terminal import sentence_lines, write_lines

app = typer.Typer(
    name="chorus",
    help="Chorus (合唱): many departments, one voice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# One line a group: a function is a command, a typer application a group of them.
app.command()(up.up)
app.command()(status.status)
app.command("import")(import_file.import_file)
app.command()(apply.apply)
app.command()(provision.provision)
app.command()(secrets.secrets)
app.command()(timeline.timeline)
app.add_typer(directory.department, name="department")
app.add_typer(triage.triage, name="triage")
app.add_typer(dead_letters.dead_letters, name="dead-letters")
app.command()(reconcile.reconcile)
app.add_typer(inbox.inbox, name="inbox")
app.command()(demo.demo)


def run() -> None:
    """The program `chorus`."""
    sys.excepthook = _unforeseen
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run one command line; returns the exit code, having said in a sentence what went wrong."""
    vars(options).update(vars(Options()))
    try:
        _command()(arguments, prog_name="chorus")
    except Failure as failure:
        return _failed(failure.code, failure.sentence)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else DONE
    except BrokenPipeError:
        # Whoever read our output has gone: nothing is left to be said, also not by the interpreter at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return DONE


def _unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What a person sees instead of a traceback; the interpreter then ends with 1."""
    if os.environ.get("CHORUS_DEBUG") == "1":
        write_lines(sys.stderr, *"".join(traceback.format_exception(kind, error, trace)).splitlines())
    words = str(error).strip().splitlines() or ["no words"]
    _failed(FAILED, f"Something unforeseen happened ({kind.__name__}: {words[0]}); CHORUS_DEBUG=1 shows where.")


def _failed(code: int, sentence: str) -> int:
    write_lines(sys.stderr, *sentence_lines(f"chorus: {sentence}"))
    if not options.emitted:
        emit({"error": sentence})
    return code


def _command() -> Any:
    """The whole tree, every command of which accepts the common options, wherever they stand."""
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


def _as_json(given: bool) -> None:
    options.as_json = options.as_json or given


def _data(given: Path | None) -> None:
    options.data = given or options.data


def _common(
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON document on stdout, words on stderr.", callback=_as_json, expose_value=False
        ),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="The stack's folder (CHORUS_DATA, .chorus).", callback=_data, expose_value=False),
    ] = None,
) -> None: ...


if __name__ == "__main__":
    run()
