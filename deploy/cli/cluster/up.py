"""`chorus up`: runs the whole system on this machine in the foreground, until Ctrl-C."""

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
from deploy.local.plan import Plan, make_plan, refuse_missing_packages, refuse_ports_in_use, refuse_unfit_security
from deploy.local.ports import Ports
from deploy.local.screen import StackScreen
from deploy.local.stack_file import StackFile


def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete all data first, after confirmation.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    ports: Annotated[
        str | None,
        typer.Option(metavar="BASE", envvar="CHORUS_PORTS", help="Use ports from BASE to BASE+99, for example 9400."),
    ] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="Every Kafka client needs a password and permissions.")
    ] = False,
) -> None:
    """Run the whole system in the foreground. Ctrl-C stops it and keeps the data."""
    try:
        chosen = Ports.given(ports)
    except ValueError as error:
        raise Failure(USAGE, f"{error}.") from error
    refuse_missing_packages(os.environ)
    refuse_unfit_security(os.environ, secure)
    # Until the stack installs its handlers, SIGTERM interrupts like Ctrl-C; a shell starts `&` jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _up(chosen, fresh, yes, secure)
    except KeyboardInterrupt:
        say("chorus: stopped before the stack was ready")


def _up(ports: Ports, fresh: bool, yes: bool, secure: bool) -> None:
    from deploy.local.orphans import stop_orphans

    with folders.claimed(data_folder()) as folder:
        folder.stack.unlink(missing_ok=True)  # left by a killed supervisor
        if fresh and folders.has_data(folder) and not yes:
            _confirm_deletion(folder)
        if stopped := stop_orphans(folder.processes):
            say(f"chorus: stopped orphaned processes of the previous run: {', '.join(stopped)}")
        if fresh:
            folders.empty(folder)
        folders.settle(folder, secure=secure)
        _run(make_plan(folder, ports, os.environ, jars.jar_folder(), secure=secure))


def _run(plan: Plan) -> None:
    from deploy.local.city import apply_if_changed, city_folder, read_city
    from deploy.local.sample_users import add_sample_users
    from deploy.local.stack import Steps, run

    refuse_ports_in_use(plan)
    where = city_folder()
    city = read_city(where)
    if any(component.name == "kafka" for component in plan.backing):
        _fetch_jars()

    async def provision_all() -> None:
        from deploy.cli.kafka_login import quiet
        from deploy.kafka_admin.provisioning import provision

        quiet()
        done = await provision(plan.admin, city, plan.secured.passwords if plan.secured else None)
        if done.topics:
            screen.status("chorus", f"created {len(done.topics)} topics")
        if done.users:
            screen.status("chorus", f"created {len(done.users)} Kafka users with their ACLs")

    async def apply_city() -> None:
        token = plan.operator_token_file
        if await apply_if_changed(where, city, plan.folder.applied_city, plan.urls["router"], token):
            screen.status("chorus", f"applied the city in {where}")
        if plan.has_own_store:
            added = await add_sample_users(city, plan.urls["router"], token, plan.folder.user_tokens)
            if added:
                screen.status("chorus", f"added {len(added)} sample users; tokens in {plan.folder.user_tokens}")

    stream = sys.stderr if options.as_json else sys.stdout
    stream.flush()
    screen = StackScreen(stream.fileno(), coloured=stream.isatty() and not os.environ.get("NO_COLOR"))
    steps = Steps(provision_all, apply_city, partial(_show_addresses, plan, screen.say))
    try:
        asyncio.run(run(plan, steps, screen))
    finally:
        screen.close()


def _show_addresses(plan: Plan, show: Callable[[str], None], file: StackFile, took_s: float) -> None:
    urls = file.urls
    rows = {
        "form": f"{urls.intake}/",
        "hall": f"{urls.notifier}/hall",
        "scoreboard": f"{urls.scorer}/scoreboard?period={time.strftime('%Y-%m')}&format=html",
        "desk": f"{urls.router}/cases (bearer token in {file.operator_token_file})",
        **({"staff": f"a token for each role in {plan.folder.user_tokens}"} if plan.has_own_store else {}),
        "HTTP API": ", ".join(f"{url}/docs" for url in urls.model_dump().values()) + " (also /openapi.json)",
        "messages": f"{urls.router}/asyncapi (each service has one)",
        **(
            {"Kafka": f"{file.kafka}, with TLS {file.kafka_outside}; passwords in {file.kafka_users}"}
            if file.kafka_users
            else {}
        ),
        "metrics": ", ".join(f"{url}/metrics" for url in urls.model_dump().values()),
        "mails": file.mail or f"sent to {file.smtp}",
        "logs": str(plan.folder.logs),
    }
    show(
        "\n".join(
            [
                f"chorus: ready in {took_s:.1f} s; data in {plan.folder.path}",
                *(f"  {name:11} {value}" for name, value in rows.items()),
            ]
        )
    )
    show(f"Try next, in a second terminal: {_next_command(plan.folder)}      (Ctrl-C stops the stack)")
    emit(file)


def _next_command(folder: Folder) -> str:
    program = Path(sys.argv[0]).absolute()
    shown = str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "chorus"
    return f"{shown} demo" + ("" if folder.path == Path.cwd() / ".chorus" else f" --data {folder.path}")


def _confirm_deletion(folder: Folder) -> None:
    if not sys.stdin.isatty():
        raise Failure(USAGE, f"--fresh deletes all data in {str(folder.path)!r}: add --yes to confirm.")
    if not typer.confirm(f"Delete all data in {str(folder.path)!r}, including all cases?", err=True):
        raise Failure(REFUSED, f"Nothing was deleted in {str(folder.path)!r}.")


def _fetch_jars() -> None:
    with _progress() as report:
        jars.download(report)


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on a terminal, otherwise one line for every ten jars; nothing when no jar is missing."""
    if not sys.stderr.isatty():
        yield _report_in_lines
        return
    columns = (
        TextColumn("kafka    ● downloading"),
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
        say(f"kafka    ● downloaded {done} of {total} jars ({name})")
