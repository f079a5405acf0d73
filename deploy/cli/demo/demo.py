"""`chorus demo`: plays a city's morning, from the first message to the scoreboard, and checks the outcome."""

import asyncio
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx
import typer

from deploy.cli import kafka_login
from deploy.cli.console import FAILED, USAGE, Failure, ask, emit, operator_token, say, stack
from deploy.cli.demo import ending, review
from deploy.cli.demo.account import DemoCase, duplicates, missing, missing_mails
from deploy.cli.demo.departments import Offices
from deploy.cli.demo.mails import Mails
from deploy.cli.demo.messages import write_messages
from deploy.cli.demo.overdue import OverdueScene
from deploy.cli.demo.residents import Residents
from deploy.cli.demo.scenario import Morning
from deploy.cli.demo.screen import DemoScreen
from deploy.cli.importing.sending import Sender, client
from deploy.cli.operations.timeline import show_facts
from deploy.cli.tables import show_table
from deploy.local.stack_file import StackFile
from deploy.security.passwords import department_user
from shared.kafka.connection import Connection

BOARD_S = 60.0


def demo(
    seed: Annotated[int, typer.Option(help="Chooses the messages, their order and the answers.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="Not implemented in this release.")] = False,
) -> None:
    """Send sample messages, answer them as departments, and check that each gets exactly one reply."""
    if full:
        raise Failure(USAGE, "--full is not implemented in this release: leave it out.")
    running, started = stack(), time.monotonic()
    codes = _departments(running)
    ask("GET", f"{running.urls.intake}/healthz", timeout_s=5.0)
    run = secrets.token_hex(3)
    cases = {message.mark: DemoCase(message) for message in write_messages(seed, run)}
    say(f"The demo sends {len(cases)} messages (seed {seed}); {len(codes)} departments answer them.")
    mails = Mails(running.mail, cases)
    try:
        mails_late = asyncio.run(_play(running, run, seed, cases, mails, codes))
    except KeyboardInterrupt as stopped:
        raise Failure(
            FAILED, "Interrupted. The messages sent so far stay in the system; you can run the demo again."
        ) from stopped
    say(_mail_summary(mails.kept, mails_late))
    _finish(running, seed, run, list(cases.values()), mails.kept and not mails_late, time.monotonic() - started)


def _departments(running: StackFile) -> list[str]:
    found = ask("GET", f"{running.urls.router}/departments", operator=True).json()
    codes = [one["code"] for one in found if not one.get("retired")]
    if not codes:
        raise Failure(FAILED, "The city has no departments: run `chorus apply deploy/city` first.")
    return codes


async def _play(
    running: StackFile, run: str, seed: int, cases: Mapping[str, DemoCase], mails: Mails, codes: Sequence[str]
) -> bool:
    """Play the morning; returns whether some mails had not arrived at its end."""
    token, urls, dice = operator_token(), running.urls, random.Random(seed)
    with DemoScreen(cases) as screen:
        async with (
            httpx.AsyncClient(base_url=urls.intake, timeout=20.0, trust_env=False) as intake,
            client(urls.intake, token) as trusted,
            client(urls.router, token) as desk,
        ):
            offices = Offices(_as_department, run, cases, screen.tell, dice)
            residents = Residents(intake, Sender(trusted))
            morning = Morning(cases, residents, offices, desk, mails, screen.tell, dice)
            if running.mail is not None:  # only a local stack keeps mails
                morning.overdue = OverdueScene(desk, morning.send_now, screen.tell)
            await morning.play(codes)
            return morning.mails_late


def _as_department(code: str) -> Connection:
    return kafka_login.connection(department_user(code))


def _mail_summary(kept: bool, late: bool) -> str:
    if not kept:
        return "The mails went to another mail server and were not checked."
    if late:
        return "The notifier still sends earlier mails, so not all mails of the demo were checked."
    return "Each mail arrived once."


def _finish(
    running: StackFile, seed: int, run: str, cases: Sequence[DemoCase], mails_checked: bool, took_s: float
) -> None:
    no_board = _show_scoreboard(running, cases)
    _show_one(cases)
    lost = {case.message.mark: [*missing(case), *(missing_mails(case) if mails_checked else ())] for case in cases}
    double = {case.message.mark: list(duplicates(case)) for case in cases}
    figures = {
        "sent": sum(case.inquiry_id is not None for case in cases),
        "answered": sum(case.answered for case in cases),
        "joint": sum(case.joint for case in cases),
        "rated": sum(case.rated for case in cases),
        "lost": sum(map(bool, lost.values())),
        "double": sum(map(bool, double.values())),
    }
    public, published = review.publish_replies(running, cases)
    say(f"A reviewer published {published} of {public} public replies in the hall.")
    figures |= {"public": public, "published": published}
    broken = ending.broken_clocks(running, cases)
    say(*ending.broken_sentences(broken, running.mail is not None))
    say(f"{summary(figures)}, in {took_s:.1f} s.")
    figures["broken_clocks"] = len(broken)
    figures["reopened"] = sum(case.reopened for case in cases)
    documents = [case.document() | {"problems": lost[case.message.mark] + double[case.message.mark]} for case in cases]
    ticket = ending.ticket_to_try(running, cases)
    emit(figures | {"seed": seed, "run": run, "seconds": round(took_s, 1), "ticket": ticket, "cases": documents})
    if problems := [f"{one['inquiry_id'] or one['subject']}: {why}" for one in documents for why in one["problems"]]:
        shown = "\n  ".join(problems[:10])
        raise Failure(FAILED, f"{figures['lost']} messages were lost, {figures['double']} were duplicated.\n  {shown}")
    if no_board is not None:
        raise no_board
    if ticket is not None:
        say(f"Look at an answer: {ticket['url']} (ticket number {ticket['inquiry_id']}, code {ticket['query_code']})")


def summary(figures: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in figures.items())


def _show_scoreboard(running: StackFile, cases: Sequence[DemoCase]) -> Failure | None:
    """Show the scoreboard of the messages' month, which the ticket numbers give in the city's time zone.

    Returns a failure instead of raising it, so that the caller can report the messages first.
    """
    day = next((case.inquiry_id for case in cases if case.inquiry_id), "")
    period = {"period": f"{day[:4]}-{day[4:6]}", "format": "json"}
    try:
        board = ask("GET", f"{running.urls.scorer}/scoreboard", params=period, timeout_s=BOARD_S).json()
    except Failure as failure:
        return failure
    say("", f"The scoreboard of {period['period']} (clocks: kept/broken/open)")
    rows = [one for one in board["departments"] if one["volume"]["assigned"]]
    show_table(
        ("department", "部门", "assigned", "answered", "accept", "first reply", "resolve", "rated"),
        (_row(one) for one in sorted(rows, key=lambda one: -int(one["volume"]["assigned"]))),
    )
    return None


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    clocks = [one["clocks"].get(name, {}) for name in ("accept", "first_reply", "resolve")]
    kept = [f"{clock.get('kept', 0)}/{clock.get('broken', 0)}/{clock.get('open', 0)}" for clock in clocks]
    volume = one["volume"]
    return (
        one["name"]["en"],
        one["name"]["zh"],
        volume["assigned"],
        volume["answered"],
        *kept,
        one["ratings"].get("valid"),
    )


def _show_one(cases: Sequence[DemoCase]) -> None:
    """Show the timeline of the case with the most facts."""
    case = max(cases, key=lambda one: len(one.facts))
    if case.facts:
        say(f"The timeline of {case.inquiry_id}: {case.message.subject}")
        show_facts(sorted(case.facts, key=lambda fact: int(fact["sequence"])))
