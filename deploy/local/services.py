"""The four services as parts of the local stack, and the environment each is given."""

import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial

from deploy.local import probe
from deploy.local.part import StackPart
from deploy.local.ports import Ports
from shared.contracts.sources import SERVICES


def address(ports: Ports, name: str) -> str:
    """Host and port of a service."""
    return f"127.0.0.1:{getattr(ports, name)}"


def urls(ports: Ports) -> dict[str, str]:
    """Each service's address, without a trailing slash."""
    return {name: f"http://{address(ports, name)}" for name in SERVICES}


def service_parts(
    ports: Ports, shared: Mapping[str, str], own: Callable[[str], Mapping[str, str]] = lambda name: {}
) -> tuple[StackPart, ...]:
    """All four; `shared` is what every one of them is told, `own` what one alone is."""
    return tuple(service_part(name, ports, {**shared, **own(name)}) for name in SERVICES)


def service_part(name: str, ports: Ports, told: Mapping[str, str]) -> StackPart:
    """One service. A killed supervisor takes it along at once: without broker and store it could only wait to drain."""
    return StackPart(
        name=name,
        command=(sys.executable, "-m", f"services.{name}"),
        ready=partial(probe.service, urls(ports)[name]),
        stage=0,
        ports=(getattr(ports, name),),
        environment={**told, "CHORUS_HTTP": address(ports, name), "CHORUS_INSTANCE": f"local-{name}"},
        stop_s=20.0,
        orphan_signal=signal.SIGKILL,
    )
