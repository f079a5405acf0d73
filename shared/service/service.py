"""The wiring every service shares: HTTP, health, metrics, subscriptions, one producer, background work, a graceful end."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from shared.contracts.envelope import Payload
from shared.http import problems
from shared.http.problems import documented
from shared.http.protocol import HttpProtocol
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.failures import FORBIDDEN
from shared.kafka.options import BATCH_RECORDS, Item, Parking, Progress, SubscriptionOptions
from shared.kafka.publisher import Publishable, Publisher
from shared.kafka.records import Record
from shared.kafka.replay_reader import ReplayReader
from shared.kafka.subscription import Subscription
from shared.runtime import logging, metrics
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.runtime.tasks import Loop, cancel_and_wait
from shared.service.asyncapi_document import asyncapi_document
from shared.service.operational_routes import add_operational_routes
from shared.service.process import Server, retry_until_available, run_forever, single_instance, tune_python
from shared.service.readiness import Check, ReadinessChecks
from shared.store.login import store_login
from shared.store.mongo import Database, UnreadableFormat, close, connect
from shared.web.layout import Site

DRAIN_S = 15.0
LAG_EVERY_S = 5.0
GIVEN_UP_S = 300.0


class Service:
    """One service process. Its app module registers routes, subscriptions and loops, then calls `run`."""

    def __init__(self, name: str, settings: Settings, *, works_without_kafka: bool = False) -> None:
        self.name = name
        self.settings = settings
        connection = Connection.of(settings)
        self.publisher = Publisher(connection, name, settings.instance)
        self.database: Database = connect(settings.mongodb, f"chorus_{name}", **store_login(settings))
        self.broker = KafkaBroker(
            connection.kafka,
            security=connection.faststream(),
            client_id=settings.instance or f"chorus-{name}",
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=DRAIN_S,
            metadata_max_age_ms=5_000,
            logger=None,
        )
        self.app = FastAPI(
            title=f"Chorus {name}",
            version="1.0",
            lifespan=self._lifespan,
            # It would tell whatever collector the environment names about requests, and what stood in those that failed.
            telemetry={"tracing": False, "metrics": False, "logs": False},
            # FastAPI's own pages load scripts from elsewhere.
            docs_url=None,
            redoc_url=None,
            responses=documented(422, 503),
        )
        self.subscriptions: list[Subscription[Any]] = []
        self.published_types: dict[str, Sequence[str]] = {}
        self.preparations: list[Loop] = []
        self.loops: list[Loop] = []
        self.readiness = ReadinessChecks(
            name, self.publisher, self.database, self.subscriptions, works_without_kafka=works_without_kafka
        )
        self.broken: BaseException | None = None
        self._server: uvicorn.Server | None = None
        problems.install(self.app)
        add_operational_routes(self.app, name, self.readiness, self.asyncapi, self.site)

    # ── what an app module registers ─────────────────────────────────────────

    def reads(
        self,
        *names: str,
        group: str | None,
        read: Callable[[Record], Item | None],
        handle: Callable[[Sequence[Item]], Awaitable[Sequence[Publishable] | None]],
        pattern: str | None = None,
        parking: Parking[Item] | None = None,
        progress: Progress | None = None,
        published: Callable[[Sequence[Item]], Awaitable[None]] | None = None,
        most: int = BATCH_RECORDS,
        answers_unreadable: bool = False,
        at_leisure: bool = False,
    ) -> Subscription[Item]:
        """Read these topics, or those that match the pattern, as long as the service runs: see `SubscriptionOptions`."""
        options = SubscriptionOptions(
            service=self.name,
            group=group,
            topics=names,
            pattern=pattern,
            read=read,
            handle=handle,
            publisher=self.publisher,
            instance=self.settings.instance,
            parking=parking,
            progress=progress,
            published=published,
            most=most,
            answers_unreadable=answers_unreadable,
            at_leisure=at_leisure,
        )
        subscription = Subscription(options, self._break)
        subscription.attach(self.broker)
        self.subscriptions.append(subscription)
        return subscription

    def takes_replays(self) -> None:
        """Try dead letters again that the desk sends back; to be called after the other readings are registered."""
        replays = ReplayReader(tuple(self.subscriptions))
        self.reads(
            topics.replays(self.name),
            group=f"{self.name}-replays",
            read=replays.read,
            handle=replays.take,
        )

    def publishes(self, topic: str, *models: type[Payload]) -> None:
        """Declare a topic this service writes to, for the AsyncAPI document; by default all that the topic carries."""
        self.broker.publisher(topic)
        if models:
            self.published_types[topic] = [model.type for model in models]

    def before_reading(self, prepare: Loop) -> None:
        """Do this once the store answers and before anything is read: indexes, first loads. Must be safe to repeat."""
        self.preparations.append(prepare)

    def forever(self, loop: Loop) -> None:
        """Run this beside the subscriptions: waited with while a dependency is away; any other failure ends the process."""
        self.loops.append(loop)

    def ready_when(self, check: Check) -> None:
        """Add a check to readiness: it returns a sentence when something is not right."""
        self.readiness.checks.append(check)

    # ── running ──────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve until told to stop; exits 1 when the process is broken for good or its instance is taken."""
        logging.set_up(self.settings.log)
        with contextlib.ExitStack() as held:
            held.enter_context(single_instance(self.settings))
            host, port = self.settings.address
            self._server = Server(
                uvicorn.Config(
                    self.app,
                    host=host,
                    port=port,
                    # The parser that the tests speak to, whatever else is installed; no sockets.
                    http=HttpProtocol,
                    ws="none",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=bool(self.settings.trusted_proxies),
                    forwarded_allow_ips=self.settings.trusted_proxies,
                    timeout_keep_alive=75,
                    timeout_graceful_shutdown=10,
                )
            )
            self._server.run()
        if self.broken is not None or not self._server.started:
            why = (
                logging.without_values(str(self.broken)) if self.broken else f"could not listen on {self.settings.http}"
            )
            sys.exit(f"chorus {self.name}: {why}")

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._guard(self._work()), name=f"{self.name}-work")]
        try:
            yield
        finally:
            log.info("stopping", service=self.name)
            await cancel_and_wait(tasks)
            await close(self.database)

    async def _guard(self, work: Awaitable[None]) -> None:
        """A failure that nothing inside could heal ends the process, so that it is started anew."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except UnreadableFormat as error:
            self._break(error)  # nothing is broken here: its sentence, which the process ends with, says it all
        except BaseException as error:
            log.error("broken", exc_info=error, service=self.name)
            self._break(error)

    def _break(self, error: BaseException) -> None:
        """End with status 1: what cannot heal here is started anew."""
        self.broken = error
        if self._server is not None:
            self._server.should_exit = True

    async def _work(self) -> None:
        """Prepare, read, and keep the loops going; whatever is away is waited for."""
        for prepare in self.preparations:
            await retry_until_available(prepare, f"preparing {self.name}")
        tune_python()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.publisher.stop)
            loops = [asyncio.create_task(run_forever(loop)) for loop in (*self.loops, self._measure)]
            stack.push_async_callback(self._stop_reading, loops)
            self.readiness.prepared_at = time.monotonic()
            await retry_until_available(self.publisher.start, "connecting the producer")
            await retry_until_available(self._start_reading, "connecting the consumers")
            loops.append(asyncio.create_task(self._watch()))
            log.info("reading", service=self.name)
            finished, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for loop in finished:
                loop.result()

    async def _start_reading(self) -> None:
        try:
            await self.broker.start()
            self.readiness.forbidden = None
        except BaseException as error:
            await self.broker.stop()
            if isinstance(error, FORBIDDEN):
                self.readiness.forbidden = f"Kafka does not let {self.settings.kafka_user or self.name} read: {error}"
            raise

    async def _stop_reading(self, loops: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*(subscription.pipeline.drained(DRAIN_S) for subscription in self.subscriptions))
        await cancel_and_wait(loops)
        await asyncio.gather(*(subscription.pipeline.stop() for subscription in self.subscriptions))
        await self.broker.stop()

    async def _measure(self) -> None:
        told: set[str] = set()
        while True:
            waiting = dict.fromkeys(told, (0, 0.0))
            held = dict.fromkeys(told, 0)
            for subscription in self.subscriptions:
                waiting |= subscription.health.lag()
                held |= subscription.health.held_back()
            for topic, (messages, seconds) in waiting.items():
                metrics.CONSUMER_LAG.labels(self.name, topic).set(messages)
                metrics.CONSUMER_LAG_SECONDS.labels(self.name, topic).set(seconds)
                metrics.HELD_BACK.labels(self.name, topic).set(held.get(topic, 0))
            told = set(waiting)
            await asyncio.sleep(LAG_EVERY_S)

    async def _watch(self) -> None:
        """Raises for a reading that stands still although nothing it needs is away: this will not heal by itself.

        It is looked at twice, because a process that was frozen finds all its clocks late.
        """
        still: set[str] = set()
        while True:
            able = [one for one in self.subscriptions if not one.pipeline.policy.waiting_for]
            now = {one.health.stuck(GIVEN_UP_S) for one in able} - {None}
            if given_up := now & still:
                raise RuntimeError("; ".join(sorted(map(str, given_up))))
            still = {str(one) for one in now}
            await asyncio.sleep(LAG_EVERY_S)

    @property
    def site(self) -> Site:
        """Where the pages of the whole city are, as this service links to them."""
        known = {"intake": self.settings.public_url, "hall": self.settings.hall_url}
        known |= {"scoreboard": self.settings.scoreboard_url}
        own = {"intake": "intake", "notifier": "hall", "scorer": "scoreboard"}.get(self.name)
        return Site(**(known | ({own: ""} if own else {})))

    def asyncapi(self) -> dict[str, Any]:
        """The AsyncAPI document of this service."""
        specification = AsyncAPI(self.broker, title=f"Chorus {self.name}", version="1.0")
        return asyncapi_document(specification, self.published_types)


def main(make: Callable[[Settings], Service]) -> None:
    """Read the settings, make the service and run it; a setting that is wrong is one sentence and status 2."""
    try:
        service = make(Settings())
    except ValueError as error:
        print(f"A setting is wrong: {error}", file=sys.stderr)
        sys.exit(2)
    service.run()
