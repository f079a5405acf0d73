"""Broker, store and SMTP server without services or supervision, for tests and benchmarks."""

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
    """Their addresses; `parts` has the components started here ("kafka", "store", "smtp"), to be killed and restarted."""

    kafka: str
    mongodb: str
    smtp: str
    mail: Path | None
    parts: Mapping[str, Running]


@contextmanager
def backing(data: Path, ports: Ports, given: Mapping[str, str] = os.environ) -> Iterator[Backing]:
    """Run all three until the end of the block; those named by CHORUS_KAFKA, CHORUS_MONGODB or CHORUS_SMTP are not started.

    Call it from the main thread, so that a killed test run leaves no process. Raises Failure.
    """
    refuse_missing_packages(given)
    umask = os.umask(0)
    os.umask(umask)
    with folders.claimed(data) as folder, ExitStack() as ends:
        folders.settle(folder)
        plan = make_plan(folder, ports, given, jars.jar_folder())
        refuse_ports_in_use(plan)
        if not given.get("CHORUS_KAFKA"):
            jars.download()
        # Pushed in this order, they stop in the order of a stack: SMTP server, broker, store.
        parts = {part.name: Running(part, folder.logs / f"{part.name}.log") for part in plan.backing}
        for name in sorted(parts, key=("store", "kafka", "smtp").index):
            ends.callback(parts[name].stop)
            parts[name].spawn()
        for running in parts.values():
            running.wait_ready()
        # Tests in this process create their files with the umask of a user, not with that of the data folder.
        os.umask(umask)
        yield Backing(plan.kafka, plan.mongodb, plan.smtp, plan.mail, parts)
