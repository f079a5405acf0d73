"""Records what became of a message, and decides when a failed one is tried again."""

from collections.abc import Sequence
from datetime import timedelta

from services.notifier.channels.adapter import Delivered, Outcome, Prepared, Rejected, TryLater
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.threads import Thread
from services.notifier.mail.deliveries import DeliveryStore
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log

GIVE_UP_AFTER = timedelta(days=3)
FIRST_PAUSE_S = 2.0


async def record(store: DeliveryStore, message: Prepared, outcome: Outcome) -> None:
    """Close the deliveries of a message, or let its thread wait longer after each failure, for three days at most."""
    thread, mail, now = message.thread, message.mail, timestamps.now()
    match outcome:
        case Delivered():
            await store.sent(thread, mail, message.more, now)
            report(thread, mail, "sent")
        case Rejected(error):
            await store.failed(thread, mail, message.more, error, now)
            report(thread, mail, "failed")
        case TryLater(error) if now - mail[0].tried_from > GIVE_UP_AFTER:
            await store.failed(thread, mail, message.more, error, now)
            report(thread, mail, "failed")
        case TryLater(error, maybe_delivered, longest_pause_s):
            await retry_later(store, thread, mail, error, maybe_delivered, longest_pause_s)


async def retry_later(
    store: DeliveryStore,
    thread: Thread,
    mail: Sequence[Delivery],
    error: str,
    maybe_delivered: bool,
    longest_pause_s: float,
) -> None:
    pause_s = min(FIRST_PAUSE_S * 2 ** min(thread.attempts, 10), longest_pause_s)
    due_at = timestamps.now() + timedelta(seconds=pause_s)
    await store.retry_at(thread, mail, due_at, error, maybe_delivered or bool(thread.sending))
    report(thread, mail, "retried")


def report(thread: Thread, deliveries: Sequence[Delivery], outcome: str) -> None:
    """Count and log the outcome of deliveries."""
    for one in deliveries:
        metrics.DELIVERIES.labels(thread.kind, outcome).inc()
        what = "message to a gateway" if thread.kind == "webhook" else "mail"
        log.info(f"{what} {outcome}", inquiry_id=thread.inquiry_id, event_id=one.id)
