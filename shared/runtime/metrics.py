"""The catalogue of metrics; each help text says what an increase means."""

from prometheus_client import Counter, Gauge

INQUIRIES_RECEIVED = Counter(
    "chorus_inquiries_received",
    "Inquiries accepted from residents; a sudden increase means that many residents report the same event",
    ["channel"],
)
ASSIGNMENTS = Counter(
    "chorus_assignments", "Parts offered to departments; an increase is more work for that department", ["department"]
)
PARTS_OPEN = Gauge(
    "chorus_parts_open",
    "Open parts by state; a steady increase means that departments do not keep up",
    ["state"],
)
JOINT_REPLIES = Counter("chorus_joint_replies", "Replies composed of the parts of two or more departments")
CLOCKS_JUDGED = Counter(
    "chorus_clocks_judged",
    "Clocks with a verdict; an increase of broken means that departments miss due times",
    ["clock", "verdict"],
)
DEAD_LETTERS = Counter(
    "chorus_dead_letters",
    "Records sent to dead letters; after any increase run `chorus dead-letters list`",
    ["service", "kind"],
)
BLOCKED_SECONDS = Counter(
    "chorus_blocked_seconds",
    "Seconds spent waiting for a dependency; an increase means that the dependency is unavailable",
    ["service", "dependency"],
)
CONSUMER_LAG = Gauge(
    "chorus_consumer_lag_messages",
    "Records not yet processed; a steady increase means that the service is too slow",
    ["service", "topic"],
)
CONSUMER_LAG_SECONDS = Gauge(
    "chorus_consumer_lag_seconds",
    "Age of the oldest record being processed; minutes mean a backlog or an unavailable dependency",
    ["service", "topic"],
)
HELD_BACK = Gauge(
    "chorus_held_back_messages",
    "Messages that an open transaction holds back; for minutes, its writer neither commits nor aborts it",
    ["service", "topic"],
)
LAST_PROCESSED = Gauge(
    "chorus_last_processed_timestamp_seconds",
    "When the service last finished a batch; an old time together with lag means that it makes no progress",
    ["service"],
)
LEDGER_UNPUBLISHED = Gauge(
    "chorus_ledger_unpublished",
    "Ledger entries not yet published to Kafka; an increase means that Kafka is unavailable",
)
LEDGER_OLDEST = Gauge(
    "chorus_ledger_oldest_unpublished_timestamp_seconds",
    "When the oldest unpublished ledger entry was accepted; 0 when there is none",
)
COMMIT_FAILURES = Counter(
    "chorus_commit_failures",
    "Failed offset commits; each one only repeats work, which is harmless",
    ["service"],
)
POLL_FAILURES = Counter(
    "chorus_poll_failures",
    "Failed polls; a few during a rebalance are normal, a steady increase is not",
    ["service"],
)
PRODUCER_RENEWALS = Counter(
    "chorus_producer_renewals",
    "Producers replaced after Kafka refused a write; after an increase check topics and permissions",
    ["service"],
)
PARKED = Gauge("chorus_parked_inquiries", "Inquiries that wait for `chorus dead-letters replay`")
SEQUENCE_GAPS = Counter(
    "chorus_sequence_gaps", "Events missing from a case's sequence; any increase is a defect", ["service"]
)
UNKNOWN_TYPES = Counter(
    "chorus_unknown_types", "Messages of an unknown type, which a newer release may have written", ["service"]
)
DELIVERIES = Counter(
    "chorus_deliveries",
    "Mails and messages to gateways by outcome; an increase of retried means that the other side refuses or is unavailable",
    ["kind", "outcome"],
)
MAILS_RECEIVED = Counter(
    "chorus_mails_received",
    "Mails at the listener of intake by outcome; an increase of deferred means that they cannot be stored now",
    ["outcome"],
)
CALENDAR_KNOWN_UNTIL = Gauge(
    "chorus_calendar_known_until_timestamp_seconds",
    "Until when the public holidays of the policies' calendars are known; due times after it may still move",
)
TIMERS_OVERDUE = Gauge(
    "chorus_timers_overdue",
    "Cases with a timer that should have rung a minute ago; above 0 for long, look at the lag of the outboxes",
)
MASKINGS = Counter(
    "chorus_maskings", "Answers masked for the hall; a rise of retried means the process that masks dies", ["outcome"]
)
