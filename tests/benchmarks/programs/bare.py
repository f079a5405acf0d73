"""Compared with intake: a bare Starlette endpoint with one journaled insert; --hop also publishes each message."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import uvicorn
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.http.protocol import HttpProtocol
from shared.kafka import topics
from shared.store.mongo import connect

HOP = "--hop" in sys.argv
entries = connect(os.environ["CHORUS_MONGODB"], "bench")["entries"]
under_way: set[asyncio.Future[Any]] = set()
producer: AIOKafkaProducer


async def receive(request: Request) -> JSONResponse:
    """Store a message durably, respond, and publish it."""
    given = await request.json()
    id_ = uuid4().hex
    await entries.insert_one({"_id": id_, **given})
    if HOP:
        # As in intake: respond after the write, publish in the background.
        department = given["departments"][0].encode()
        confirmed = await producer.send(topics.INPUTS, await request.body(), id_.encode(), headers=[("to", department)])
        under_way.add(confirmed)
        confirmed.add_done_callback(under_way.discard)
    return JSONResponse({"inquiry_id": id_}, 202)


async def healthy(request: Request) -> JSONResponse:
    """Health check."""
    return JSONResponse({"ready": True, "reasons": []})


@asynccontextmanager
async def connected(app: Starlette) -> AsyncIterator[None]:
    """A producer with the services' settings."""
    global producer
    if not HOP:
        yield
        return
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["CHORUS_KAFKA"], acks="all", enable_idempotence=True)
    async with producer:
        yield


app = Starlette(
    routes=[Route("/inquiries", receive, methods=["POST"]), Route("/readyz", healthy)],
    lifespan=connected,
)


if __name__ == "__main__":
    host, _, port = os.environ["CHORUS_HTTP"].rpartition(":")
    uvicorn.run(
        app,
        host=host,
        port=int(port),
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
    )
