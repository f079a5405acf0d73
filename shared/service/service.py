"""The wiring of a service: HTTP, subscriptions, one producer, background loops, start and graceful stop."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from shared.city import City
from shared.contracts.envelope import Payload
from shared.http import problems
from shared.http.problems import documented
from shared.kafka import topics
from shared.kafka.client_settings import BROKER, DRAIN_S
from shared.kafka.connection import Connection
from shared.kafka.failures import FORBIDDEN
from shared.kafka.options import BATCH_RECORDS, Item, Parking, Progress, SubscriptionOptions
from shared.kafka.publisher import Publishable, Publisher
from shared.kafka.records import Record
from shared.kafka.replay_reader import ReplayReader
from shared.kafka.subscription import Subscription
from shared.runtime import logging
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.runtime.tasks import Loop, cancel_and_wait
from shared.service.asyncapi_document import asyncapi_document
from shared.service.city_feed import CityFeed, read_city
from shared.service.operational_routes import add_operational_routes
from shared.service.process import http_server, retry_until_available, run_forever, single_instance, tune_python
from shared.service.readiness import Check, ReadinessChecks
from shared.service.site import site_of
from shared.service.watchdog import export_lag, fail_when_stuck
from shared.store.login import store_login
from shared.store.mongo import Database, UnreadableFormat, close, connect
from shared.web.error_pages import error_pages


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
            **BROKER,
        )
        self.app = FastAPI(
            title=f"Chorus {name}",
            version="1.0",
            lifespan=self._lifespan,
            # Otherwise FastAPI would send requests, and the bodies of failed ones, to a collector that OTEL_… variables name.
            telemetry={"tracing": False, "metrics": False, "logs": False},
            # FastAPI's own pages load scripts from a CDN; `operational_routes` serves them from local files.
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
        self._city: CityFeed[Any] = CityFeed(lambda revision: revision)
        self._server: uvicorn.Server | None = None
        self.site = site_of(name, settings, lambda: self._city.city)
        problems.install(self.app, error_pages(self.site))
        add_operational_routes(self.app, name, self.readiness, self.asyncapi, self.site)

    # ── registration ─────────────────────────────────────────────────────────

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
        """Subscribe to these topics, or to those that match `pattern`; `SubscriptionOptions` describes the parameters."""
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

    def follows_city(self, city: CityFeed[Any]) -> Subscription[City]:
        """Follow the city in force; the pages show its name and its notices."""
        self._city = city
        return self.reads(topics.CITY, group=None, read=read_city, handle=city.follow, answers_unreadable=True)

    def takes_replays(self) -> None:
        """Handle the dead letters that the desk replays. Call it after the other subscriptions are registered."""
        replays = ReplayReader(tuple(self.subscriptions))
        self.reads(
            topics.replays(self.name),
            group=f"{self.name}-replays",
            read=replays.read,
            handle=replays.handle,
        )

    def publishes(self, topic: str, *models: type[Payload]) -> None:
        """Declare a topic that this service writes, for the AsyncAPI document; without models, all types of the topic."""
        self.broker.publisher(topic)
        if models:
            self.published_types[topic] = [model.type for model in models]

    def before_reading(self, prepare: Loop) -> None:
        """Run this when the store answers and before any topic is read: indexes, initial loads. Must be safe to repeat."""
        self.preparations.append(prepare)

    def forever(self, loop: Loop) -> None:
        """Run this in the background. It is retried while a dependency is unavailable; other failures end the process."""
        self.loops.append(loop)

    def ready_when(self, check: Check) -> None:
        """Add a readiness check: it returns a sentence when the service is not ready, else None."""
        self.readiness.checks.append(check)

    def remarks_on(self, check: Check) -> None:
        """Add a check whose sentence stands in `/readyz` and does not make the service unready."""
        self.readiness.remarks.append(check)

    # ── start and stop ───────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Exits with status 1 after a failure, or when another process has its instance."""
        logging.set_up(self.settings.log)
        with single_instance(self.settings):
            self._server = http_server(self.app, self.settings)
            self._server.run()
        if self.broken is not None or not self._server.started:
            why = logging.without_values(str(self.broken)) if self.broken else f"cannot listen on {self.settings.http}"
            sys.exit(f"chorus {self.name}: {why}")

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._guard(self._work()), name=f"{self.name}-work")]
        try:
            yield
        finally:
            log.info("the service is stopping", service=self.name)
            await cancel_and_wait(tasks)
            await close(self.database)

    async def _guard(self, work: Awaitable[None]) -> None:
        """End the process after a failure that nothing handles, so that its supervisor restarts it."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except UnreadableFormat as error:
            self._break(error)  # not a defect: no traceback, because `run` prints the sentence
        except BaseException as error:
            log.error("the service failed; the process ends", exc_info=error, service=self.name)
            self._break(error)

    def _break(self, error: BaseException) -> None:
        """Stop the server; `run` then exits with status 1."""
        self.broken = error
        if self._server is not None:
            self._server.should_exit = True

    async def _work(self) -> None:
        """Prepare, start the loops and subscriptions, and run until one fails; waits for unavailable dependencies."""
        for prepare in self.preparations:
            await retry_until_available(prepare, f"preparing {self.name}")
        tune_python()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.publisher.stop)
            loops = [asyncio.create_task(run_forever(loop)) for loop in (*self.loops, self._export_lag)]
            stack.push_async_callback(self._stop_reading, loops)
            self.readiness.prepared_at = time.monotonic()
            await retry_until_available(self.publisher.start, "connecting the producer")
            await retry_until_available(self._start_reading, "connecting the consumers")
            loops.append(asyncio.create_task(fail_when_stuck(self.subscriptions)))
            log.info("the service reads its topics", service=self.name)
            finished, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for loop in finished:
                loop.result()

    async def _start_reading(self) -> None:
        try:
            await self._city.load(Connection.of(self.settings))
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

    async def _export_lag(self) -> None:
        await export_lag(self.name, self.subscriptions)

    # ── documents ────────────────────────────────────────────────────────────

    def asyncapi(self) -> dict[str, Any]:
        specification = AsyncAPI(self.broker, title=f"Chorus {self.name}", version="1.0")
        return asyncapi_document(specification, self.published_types)


def main(make: Callable[[Settings], Service]) -> None:
    """Read the settings, make the service and run it. An invalid setting prints a sentence and exits with status 2."""
    try:
        service = make(Settings())
    except ValueError as error:
        print(f"A setting is invalid: {error}", file=sys.stderr)
        sys.exit(2)
    service.run()
