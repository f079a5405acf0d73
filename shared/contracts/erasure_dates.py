"""From which day the copies of erased words are gone, too: in Kafka, and in backups."""

from datetime import datetime, timedelta

from shared.contracts.documented import Documented
from shared.contracts.fields import Moment

SEGMENT = timedelta(days=7)
"""Kafka deletes whole files of a topic, when their newest record is too old; a file takes records for seven days."""
DELETION = timedelta(days=1)
"""More than Kafka takes to find and delete such a file."""


class ErasureDates(Documented):
    """When an inquiry was erased, and when the last copies of its words are gone."""

    erased_at: Moment
    """When the command to erase it was recorded."""
    kafka_until: Moment
    """Until when topics may still contain its words: the retention of topics, and a week."""
    backups_until: Moment
    """Until when backups may still contain its words: a backup of Kafka from the last day counts, too."""


def erasure_dates(erased_at: datetime, retention_days: int, backups_kept_days: int) -> ErasureDates:
    kafka_until = erased_at + timedelta(days=retention_days) + SEGMENT + DELETION
    backups_until = kafka_until + timedelta(days=backups_kept_days)
    return ErasureDates(erased_at=erased_at, kafka_until=kafka_until, backups_until=backups_until)
