"""The ports of the local stack."""

import random
import socket
from dataclasses import dataclass, fields
from typing import ClassVar, Self

LAST_BASE = 65_436


@dataclass(frozen=True)
class Ports:
    """The ports of one stack, all on 127.0.0.1."""

    intake: int = 8001
    router: int = 8002
    notifier: int = 8003
    scorer: int = 8004
    kafka: int = 9092
    controller: int = 9093
    kafka_outside: int = 9094
    mongodb: int = 27017
    smtp: int = 8025
    smtp_in: int = 8026
    bases: ClassVar[range] = range(10_000, 32_000, 100)
    """Candidates of `free`: below the ephemeral port range."""

    @classmethod
    def on(cls, base: int) -> Self:
        """All ports between `base` and `base` + 99; raises ValueError with a sentence for a base out of range."""
        if not 1 <= base <= LAST_BASE:
            raise ValueError(f"The base port {base} is out of range: use a number from 1 to {LAST_BASE}")
        return cls(
            intake=base + 1,
            router=base + 2,
            notifier=base + 3,
            scorer=base + 4,
            kafka=base + 92,
            controller=base + 93,
            kafka_outside=base + 94,
            mongodb=base + 17,
            smtp=base + 25,
            smtp_in=base + 26,
        )

    @classmethod
    def given(cls, text: str | None) -> Self:
        """The ports for the value of `--ports` or CHORUS_PORTS; the default ports for None."""
        if not text:
            return cls()
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{text!r} is not a port number: use the first of 100 free ports, like 9400")
        return cls.on(int(text))

    @classmethod
    def free(cls) -> Self:
        """Ports on a random base, none of them in use."""
        bases = random.sample(cls.bases, len(cls.bases))
        return next(ports for ports in map(cls.on, bases) if not any(map(in_use, ports.all())))

    def all(self) -> tuple[int, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))


def in_use(port: int) -> bool:
    """Whether a process listens on this port, on 127.0.0.1 or on all addresses."""
    with socket.socket() as probe:
        # A port in TIME_WAIT counts as free: Kafka and the services set SO_REUSEADDR too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0
