"""Which port each part of the local stack listens on."""

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
    bases: ClassVar[range] = range(10_000, 32_000, 100)
    """Where `free` looks: below the range of outgoing connections."""

    @classmethod
    def on(cls, base: int) -> Self:
        """Everything on `base` to `base` + 99; raises ValueError with a sentence for a base out of range."""
        if not 1 <= base <= LAST_BASE:
            raise ValueError(f"{base} cannot be the first of a hundred ports: give a number from 1 to {LAST_BASE}")
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
        )

    @classmethod
    def given(cls, text: str | None) -> Self:
        """The ports that `--ports` or CHORUS_PORTS asks for; the default ones when neither is given."""
        if not text:
            return cls()
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{text!r} is not a port number: give the first of a hundred ports, like 9400")
        return cls.on(int(text))

    @classmethod
    def free(cls) -> Self:
        """A hundred ports of which nobody uses those that a stack needs."""
        bases = random.sample(cls.bases, len(cls.bases))
        return next(ports for ports in map(cls.on, bases) if not any(map(taken, ports.all())))

    def all(self) -> tuple[int, ...]:
        """Every port, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))


def taken(port: int) -> bool:
    """Whether a process listens on this port of 127.0.0.1 or of every address."""
    with socket.socket() as probe:
        # A port that was closed a moment ago is free for us: Kafka and the services reuse addresses too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0
