"""Sends news to the gateway of a channel as signed webhooks, in order for each inquiry, until the gateway accepts them."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from services.notifier.channels.adapter import Delivered, Outcome, Prepared, Rejected, TryLater
from services.notifier.channels.outcomes import record
from services.notifier.mail.deliveries import Claimed
from services.notifier.store import NotifierStore
from shared.channels.gateways import Gateway
from shared.channels.signatures import signed_headers
from shared.city import City
from shared.contracts.envelope import as_json
from shared.contracts.ids import query_code
from shared.contracts.resident_messages import ResidentTold
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed

LOOK_EVERY_S = 0.5
AT_ONCE = 20
"""Each inquiry of a claim is a request of its own, and all run at once: a slow answer holds back no other inquiry."""
REQUEST_TIMEOUT_S = 10.0
GONE = 410


@dataclass(frozen=True)
class GatewayChannel:
    """The adapter for one gateway."""

    gateway: Gateway
    client: httpx.AsyncClient
    public_url: str
    secret: bytes

    async def deliver(self, message: Prepared, city: City) -> Outcome:
        """Post the message. 2xx accepts it and 410 refuses it; every other answer, redirects too, is tried again."""
        body = self.body(message)
        headers = signed_headers(self.gateway, message.mail[-1].id, timestamps.now(), body)
        content = body.encode()
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT_S),
                # The status is all that counts: a body, however long, is not read.
                self.client.stream("POST", self.gateway.url or "", content=content, headers=headers) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return TryLater(f"The gateway did not answer ({type(error).__name__}).", maybe_delivered=True)
        if 200 <= status < 300:
            return Delivered()
        error_text = f"The gateway answered {status}."
        return Rejected(error_text) if status == GONE else TryLater(error_text, maybe_delivered=True)

    def body(self, message: Prepared) -> str:
        """What the resident may see, as JSON; the same for each attempt. It has no telephone number and no e-mail address."""
        notice = message.mail[-1].notice
        query = urlencode({"ticket": notice.inquiry_id, "code": query_code(self.secret, notice.inquiry_id)})
        data = {
            "inquiry_id": notice.inquiry_id,
            "account": notice.to,
            "what": notice.what,
            "text": notice.text,
            "status_url": f"{self.public_url}/status?{query}",
            "case": json.loads(notice.picture or "{}"),
        }
        at = timestamps.to_text(notice.at)
        return as_json({"type": ResidentTold.type, "timestamp": at, "data": data}).decode()


@dataclass
class WebhookDelivery:
    """Delivers to one gateway. Each gateway has a loop of its own, so none waits for another."""

    store: NotifierStore
    gateway: Gateway
    city: CityFeed[City]
    public_url: str
    secret: bytes

    async def deliver(self) -> None:
        """Send due messages. Runs forever.

        After a crash between sending a message and recording it, the same message is sent again under the same id.
        """
        headers = {"Content-Type": "application/json", "User-Agent": "Chorus"}
        async with httpx.AsyncClient(follow_redirects=False, timeout=REQUEST_TIMEOUT_S, headers=headers) as client:
            channel = GatewayChannel(self.gateway, client, self.public_url, self.secret)
            while True:
                due = await self.store.mails.claim(timestamps.now(), "webhook", AT_ONCE, self.gateway.name)
                if due:
                    await asyncio.gather(*(self._send(channel, one) for one in due))
                else:
                    await asyncio.sleep(LOOK_EVERY_S)

    async def _send(self, channel: GatewayChannel, claimed: Claimed) -> None:
        """Send the first message that waits in a thread; it keeps its place until the gateway has it or refuses it."""
        thread, waiting = claimed
        mails = self.store.mails
        if not waiting:
            await mails.settle(thread, False, timestamps.now())
            return
        message = Prepared(thread, waiting[:1], len(waiting) > 1, whole=True, subject=None)
        if await mails.begin(thread, message.mail, True):
            await record(mails, message, await channel.deliver(message, self.city.current()))
