"""`chorus demo --full`: plays a story for each capability against a running stack, and checks it from outside."""

import asyncio
import random
import signal
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from aiokafka.errors import KafkaError

from deploy.cli import kafka_login
from deploy.cli.console import FAILED, USAGE, Failure, ask, operator_token, say, stack
from deploy.cli.demo import full_report
from deploy.cli.demo.eyes import Eyes, MailFolder
from deploy.cli.demo.hands import Hands, Staff
from deploy.cli.demo.messages import STREETS
from deploy.cli.demo.stage import FullStory, PlayedStep, Stage, StoryEnded
from deploy.cli.demo.stories import FULL_STORIES
from deploy.cli.demo.terms import RunTerms, in_force, lent_offices, run_name
from deploy.cli.demo.topic_watch import TopicWatch
from deploy.cli.demo.town import Town
from deploy.local.stack_file import StackFile
from deploy.security.passwords import department_user
from shared.kafka.connection import Connection
from shared.kafka.topics import EVENTS, inbox

STORY_S = 100.0
TIMEOUT_S = 30.0
KEEPALIVE_S = 2.0
"""Shorter than the services keep a connection, so that none closes at the moment at which it is used again."""


def play_full(seed: int) -> None:
    """Play all stories, show each step, and report. Raises Failure 1 unless all pass, 3 when something is away."""
    running, started = stack(), time.monotonic()
    town = _town(running)
    run = run_name()
    say(f"The demo plays {len(FULL_STORIES)} stories at once (seed {seed}, run {run}). Each line is one step.")
    try:
        stages = asyncio.run(_play(running, run, seed, town))
    except (KeyboardInterrupt, asyncio.CancelledError) as stopped:
        raise Failure(
            FAILED, "Interrupted. The demo's policies are removed and its users disabled; its messages stay."
        ) from stopped
    full_report.finish(
        running.urls, stages, {"seed": seed, "run": run, "seconds": round(time.monotonic() - started, 1)}
    )


def _town(running: StackFile) -> Town:
    """The departments. Raises Failure when a part of the stack is away, or the city is too small for the stories."""
    for url in (running.urls.intake, running.urls.router, running.urls.notifier, running.urls.scorer):
        ask("GET", f"{url}/readyz")
    if running.mail is None:
        raise Failure(USAGE, "--full reads the mails in the folder of a local stack, and this stack has none.")
    # As the operator, also when another user has logged in: the stories need the rights to change the city and to add users.
    city = ask("GET", f"{running.urls.router}/city", headers=operator()).json()
    return Town.of(city["departments"], lent_offices(city["policies"]))


async def _play(running: StackFile, run: str, seed: int, town: Town) -> list[Stage]:
    with suppress(NotImplementedError):
        # A terminated demo puts the city back too. Ctrl-C cancels this task by itself.
        current = asyncio.current_task()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel if current else lambda: None)
    async with _players(running, run, town) as (hands, eyes):
        dice = random.Random(seed)
        words = {
            language: {"street": dice.choice(streets), "number": str(dice.randint(2, 88))}
            for language, streets in STREETS.items()
        }
        stages = [Stage(story, run, town, hands, eyes, show, words) for story in FULL_STORIES]
        policies = {name: policy for story in FULL_STORIES for name, policy in story.policies.items()}
        terms = RunTerms(run, policies, town.bureau, town.offices if town.lends else ())
        async with in_force(hands.staff.desk, terms):
            await play_all(stages, eyes.topics)
        return stages


@asynccontextmanager
async def _players(running: StackFile, run: str, town: Town) -> AsyncIterator[tuple[Hands, Eyes]]:
    """What acts and what sees; the users are disabled and all clients closed at the end."""
    limits = httpx.Limits(keepalive_expiry=KEEPALIVE_S)
    watch = TopicWatch({EVENTS: kafka_login.admin()} | {inbox(code): as_department(code) for code in town.names})
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, limits=limits) as http,
        httpx.AsyncClient(
            base_url=running.urls.router, timeout=TIMEOUT_S, trust_env=False, limits=limits, headers=operator()
        ) as desk,
    ):
        staff = Staff(desk, operator(), run)
        hands = Hands(running.urls, http, staff, as_department, running.smtp_in)
        try:
            await watch.open()
            yield hands, Eyes(running.urls, http, operator(), watch, MailFolder(Path(running.mail or "")))
        except (KafkaError, TimeoutError) as error:
            raise kafka_login.to_failure(error, kafka_login.admin()) from error
        finally:
            await asyncio.shield(_leave(hands, watch))


def operator() -> Mapping[str, str]:
    return {"Authorization": f"Bearer {operator_token()}"}


async def _leave(hands: Hands, watch: TopicWatch) -> None:
    if left := await hands.staff.disable_all():
        say(f"These users of the demo may still work; `chorus user disable NAME` disables them: {', '.join(left)}.")
    await asyncio.gather(hands.close(), watch.close())


def as_department(code: str) -> Connection:
    return kafka_login.connection(department_user(code))


async def play_all(stages: Sequence[Stage], watch: TopicWatch) -> None:
    """Play all stories at once, each until its first failing step."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch.watch())
        await asyncio.gather(*(group.create_task(_play_one(stage)) for stage in stages))
        watching.cancel()


async def _play_one(stage: Stage) -> None:
    try:
        async with asyncio.timeout(STORY_S):
            await stage.story.play(stage)
    except StoryEnded:
        pass
    except TimeoutError:
        stage.fail("The story ends in time", f"it has not ended after {STORY_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - any error ends one story only, and the city is put back
        at = traceback.extract_tb(error.__traceback__)[-1]
        stage.fail("The story goes on", f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})")


def show(story: FullStory, step: PlayedStep) -> None:
    """One line for a step."""
    mark = "✓ passed" if step.passed else "✗ FAILED"
    say(f"{story.number:>2}  {mark}  {step.what}" + (f": {step.why}" if step.why else ""))
