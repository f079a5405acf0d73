"""The catalogue of metrics: every name once, with how to read a rise."""

from prometheus_client import Counter, Gauge

INQUIRIES_RECEIVED = Counter(
    "chorus_inquiries_received", "Messages accepted from residents; a sudden rise is a mass event", ["channel"]
)
ASSIGNMENTS = Counter("chorus_assignments", "Parts offered; a rise for one department is its load", ["department"])
PARTS_OPEN = Gauge(
    "chorus_parts_open", "Parts not yet done, by state; a steady rise means departments fall behind", ["state"]
)
JOINT_REPLIES = Counter("chorus_joint_replies", "Replies joined from two or more departments' parts")
CLOCKS_JUDGED = Counter(
    "chorus_clocks_judged",
    "Clocks with a verdict; a rise of broken is a service failing its residents",
    ["clock", "verdict"],
)
DEAD_LETTERS = Counter("chorus_dead_letters", "Messages put aside; any rise wants a look", ["service", "kind"])
BLOCKED_SECONDS = Counter(
    "chorus_blocked_seconds", "Time spent waiting for a dependency; a rise means it is away", ["service", "dependency"]
)
CONSUMER_LAG = Gauge(
    "chorus_consumer_lag_messages",
    "Messages not yet taken; a steady rise means the service is too slow",
    ["service", "topic"],
)
CONSUMER_LAG_SECONDS = Gauge(
    "chorus_consumer_lag_seconds",
    "Age of the oldest message in hand; minutes mean a backlog or a dependency that is away",
    ["service", "topic"],
)
HELD_BACK = Gauge(
    "chorus_held_back_messages",
    "Messages behind an open transaction, which cannot be read yet; for minutes, its writer neither commits nor aborts",
    ["service", "topic"],
)
LAST_PROCESSED = Gauge(
    "chorus_last_processed_timestamp_seconds",
    "When the service last finished a batch; old with lag means it stands still",
    ["service"],
)
LEDGER_UNPUBLISHED = Gauge(
    "chorus_ledger_unpublished", "Accepted messages not yet on Kafka; a rise means the broker is away"
)
LEDGER_OLDEST = Gauge(
    "chorus_ledger_oldest_unpublished_timestamp_seconds",
    "When the oldest unpublished message was accepted; 0 when there is none",
)
COMMIT_FAILURES = Counter(
    "chorus_commit_failures", "Offsets that could not be committed; a rise repeats work, harmlessly", ["service"]
)
POLL_FAILURES = Counter(
    "chorus_poll_failures", "Polls that failed; a few around a rebalance are normal, a steady rise is not", ["service"]
)
PRODUCER_RENEWALS = Counter(
    "chorus_producer_renewals", "Producers made anew after a final refusal; a rise wants a look at rights", ["service"]
)
PARKED = Gauge("chorus_parked_inquiries", "Inquiries that wait for `chorus dead-letters replay`; any wants a look")
SEQUENCE_GAPS = Counter(
    "chorus_sequence_gaps", "Events missing from a case's sequence; any rise is a defect", ["service"]
)
UNKNOWN_TYPES = Counter("chorus_unknown_types", "Messages of a type this version does not know", ["service"])
DELIVERIES = Counter(
    "chorus_deliveries", "Notices by outcome; a rise of retried means the mail server refuses", ["kind", "outcome"]
)
