"""`chorus up`: the whole system on this machine, in the foreground, until Ctrl-C."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.console import REFUSED, USAGE, Failure, data_folder, emit, options, say
from deploy.local import folder as folders
from deploy.local import jars
from deploy.local.folder import Folder
from deploy.local.plan import Plan, make_plan, refuse_missing_packages, refuse_taken_ports, refuse_unfit_security
from deploy.local.ports import Ports
from deploy.local.screen import StackScreen
from deploy.local.stack_file import StackFile


def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the data folder first, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ports: Annotated[
        str | None,
        typer.Option(metavar="BASE", envvar="CHORUS_PORTS", help="Everything on BASE to BASE+99, like 9400."),
    ] = None,
    secure: Annotated[bool, typer.Option("--secure", help="Nobody uses Kafka without a password and a right.")] = False,
) -> None:
    """The whole system in the foreground; Ctrl-C ends it and keeps the data."""
    try:
        chosen = Ports.given(ports)
    except ValueError as error:
        raise Failure(USAGE, f"{error}.") from error
    refuse_missing_packages(os.environ)
    refuse_unfit_security(os.environ, secure)
    # Until the stack itself listens for signals, SIGTERM ends a fetch as Ctrl-C does; a shell's `&` ignores SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _up(chosen, fresh, yes, secure)
    except KeyboardInterrupt:
        say("chorus: stopped before it was ready")


def _up(ports: Ports, fresh: bool, yes: bool, secure: bool) -> None:
    from deploy.local.leftovers import stop_leftovers

    with folders.claimed(data_folder()) as folder:
        folder.stack.unlink(missing_ok=True)  # a killed stack could not
        if fresh and folders.has_data(folder) and not yes:
            _ask_to_empty(folder)
        if left := stop_leftovers(folder.processes):
            say(f"chorus: stopped what the last stack had left behind: {', '.join(left)}")
        if fresh:
            folders.empty(folder)
        folders.settle(folder, secure=secure)
        _run(make_plan(folder, ports, os.environ, jars.place(), secure=secure))


def _run(plan: Plan) -> None:
    from deploy.local.city import apply_if_changed, city_folder, read_city
    from deploy.local.stack import Steps, run

    refuse_taken_ports(plan)
    where = city_folder()
    city = read_city(where)
    if any(part.name == "kafka" for part in plan.backing):
        _fetch_jars()

    async def provision_all() -> None:
        from deploy.cli.kafka_login import quiet
        from deploy.kafka_admin.provisioning import provision

        quiet()
        told = await provision(plan.admin, city, plan.secured.passwords if plan.secured else None)
        if told.topics:
            screen.status("chorus", f"made {len(told.topics)} topics")
        if told.users:
            screen.status("chorus", f"made {len(told.users)} users with their rights")

    async def apply_city() -> None:
        token = plan.operator_token_file
        if await apply_if_changed(where, city, plan.folder.applied_city, plan.urls["router"], token):
            screen.status("chorus", f"applied the city in {where}")

    stream = sys.stderr if options.as_json else sys.stdout
    stream.flush()
    screen = StackScreen(stream.fileno(), coloured=stream.isatty() and not os.environ.get("NO_COLOR"))
    steps = Steps(provision_all, apply_city, partial(_tell, plan, screen.say))
    try:
        asyncio.run(run(plan, steps, screen))
    finally:
        screen.close()


def _tell(plan: Plan, show: Callable[[str], None], file: StackFile, took_s: float) -> None:
    urls = file.urls
    rows = {
        "write in": f"{urls.intake}/",
        "hall": f"{urls.notifier}/hall",
        "scoreboard": f"{urls.scorer}/scoreboard?period={time.strftime('%Y-%m')}&format=html",
        "desk": f"{urls.router}/cases (token in {file.operator_token_file})",
        "API": ", ".join(f"{url}/docs" for url in urls.model_dump().values()) + " (also /openapi.json)",
        "messages": f"{urls.router}/asyncapi (every service has its own)",
        **(
            {"Kafka": f"{file.kafka}, from outside {file.kafka_outside}; passwords in {file.kafka_users}"}
            if file.kafka_users
            else {}
        ),
        "metrics": ", ".join(f"{url}/metrics" for url in urls.model_dump().values()),
        "mails": file.mail or f"go to {file.smtp}",
        "logs": str(plan.folder.logs),
    }
    show(
        "\n".join(
            [
                f"chorus: ready in {took_s:.1f} s; data in {plan.folder.path}",
                *(f"  {k:11} {v}" for k, v in rows.items()),
            ]
        )
    )
    show(f"Try next, in a second terminal: {_next_command(plan.folder)}      (Ctrl-C here ends all)")
    emit(file)


def _next_command(folder: Folder) -> str:
    program = Path(sys.argv[0]).absolute()
    shown = str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "chorus"
    return f"{shown} demo" + ("" if folder.path == Path.cwd() / ".chorus" else f" --data {folder.path}")


def _ask_to_empty(folder: Folder) -> None:
    if not sys.stdin.isatty():
        raise Failure(USAGE, f"--fresh empties {str(folder.path)!r} and nobody is here to be asked: add --yes.")
    if not typer.confirm(f"Empty {str(folder.path)!r}, with all cases in it?", err=True):
        raise Failure(REFUSED, f"Nothing was changed in {str(folder.path)!r}.")


def _fetch_jars() -> None:
    with _progress() as report:
        jars.fetched(report)


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal, a line now and then elsewhere; nothing when nothing is to be fetched."""
    if not sys.stderr.isatty():
        yield _report_in_lines
        return
    columns = (
        TextColumn("kafka    ● fetching"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[jar]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("jars", total=None, jar="", visible=False)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, jar=name, visible=True)


def _report_in_lines(done: int, total: int, name: str) -> None:
    if done in (1, total) or done % 10 == 0:
        say(f"kafka    ● fetched {done} of {total} jars ({name})")
