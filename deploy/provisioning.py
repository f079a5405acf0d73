"""Provisioning: every topic of the flow table, on a broker that makes none by itself."""

from collections.abc import Iterable

from shared.provision import make_topics
from shared.settings import Settings
from shared.topics import department_topics, system_topics


async def provision(kafka: str, departments: Iterable[str] = ()) -> list[str]:
    """Make the system's topics and two for each department; returns the names of those that were missing."""
    settings = Settings()
    wanted = system_topics(settings.partitions, settings.retention_days)
    return await make_topics(
        kafka, (*wanted, *department_topics(departments, settings.retention_days)), settings.replication
    )
