"""Broker, store and mail sink alone, for test suites and benchmarks: no services, no supervision, no questions."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import folder as folders
from deploy.local import jars
from deploy.local.component import Running
from deploy.local.plan import make_plan, refuse_missing_packages, refuse_ports_in_use
from deploy.local.ports import Ports


@dataclass(frozen=True)
class Backing:
    """Where they are; `parts` holds those that were started here ("kafka", "store", "smtp"), to be killed and started."""

    kafka: str
    mongodb: str
    smtp: str
    mail: Path | None
    parts: Mapping[str, Running]


@contextmanager
def backing(data: Path, ports: Ports, given: Mapping[str, str] = os.environ) -> Iterator[Backing]:
    """All three, ready, until the end of the block; what CHORUS_KAFKA, CHORUS_MONGODB or CHORUS_SMTP name is not started.

    To be used from the main thread, so that nothing is left behind by a killed suite. Raises Failure with a sentence.
    """
    refuse_missing_packages(given)
    with folders.claimed(data) as folder, ExitStack() as ends:
        folders.settle(folder)
        plan = make_plan(folder, ports, given, jars.jar_folder())
        refuse_ports_in_use(plan)
        if not given.get("CHORUS_KAFKA"):
            jars.download()
        # Pushed in this order they stop in the order of a stack: sink, broker, store.
        parts = {part.name: Running(part, folder.logs / f"{part.name}.log") for part in plan.backing}
        for name in sorted(parts, key=("store", "kafka", "smtp").index):
            ends.callback(parts[name].stop)
            parts[name].spawn()
        for running in parts.values():
            running.wait_ready()
        yield Backing(plan.kafka, plan.mongodb, plan.smtp, plan.mail, parts)
