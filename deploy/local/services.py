"""The four services as components of the local stack, and their environment variables."""

import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial

from deploy.local import probe
from deploy.local.component import Component
from deploy.local.ports import Ports
from shared.contracts.sources import SERVICES


def address(ports: Ports, name: str) -> str:
    return f"127.0.0.1:{getattr(ports, name)}"


def urls(ports: Ports) -> dict[str, str]:
    """The URL of each service, without a trailing slash."""
    return {name: f"http://{address(ports, name)}" for name in SERVICES}


def service_components(
    ports: Ports, shared: Mapping[str, str], own: Callable[[str], Mapping[str, str]] = lambda name: {}
) -> tuple[Component, ...]:
    """All four services; `shared` is the common environment, `own` returns the additional variables of one service."""
    return tuple(service_component(name, ports, {**shared, **own(name)}) for name in SERVICES)


def service_component(name: str, ports: Ports, environment: Mapping[str, str]) -> Component:
    """One service. When the supervisor dies it gets SIGKILL: without broker and store it could not drain."""
    return Component(
        name=name,
        command=(sys.executable, "-m", f"services.{name}"),
        ready=partial(probe.service, urls(ports)[name]),
        stage=0,
        ports=(getattr(ports, name), ports.smtp_in) if name == "intake" else (getattr(ports, name),),
        environment={**environment, "CHORUS_HTTP": address(ports, name), "CHORUS_INSTANCE": f"local-{name}"},
        stop_s=20.0,
        orphan_signal=signal.SIGKILL,
    )
