"""The sections of a benchmark; each measures one thing and returns its results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.router.domain.city_index import CityIndex, city_index
from shared.city import City
from shared.kafka import topics
from shared.kafka.topics import Topic, department_topics, system_topics
from tests.benchmarks.contest import PARTITIONS, Say
from tests.benchmarks.messages import ResidentMessage, write_messages
from tests.benchmarks.place import Place


@dataclass(frozen=True)
class Bench:
    """The input of every section; `size` is the number of records in a run of a fast contender."""

    place: Place
    city: City
    rounds: int
    size: int
    seed: int
    quick: bool
    say: Say

    @property
    def directory(self) -> CityIndex:
        """The city, compiled."""
        return city_index(self.city)

    @property
    def fewer_rounds(self) -> int:
        """The rounds for long or repeated measurements."""
        return max(self.rounds * 3 // 5, 1)

    def messages(self, number: int, named: Sequence[str] = ()) -> list[ResidentMessage]:
        """This many messages, the same in every section."""
        return write_messages(self.city, number, self.seed, named)

    @property
    def topics(self) -> list[Topic]:
        """Every topic that provisioning creates for this city."""
        return [*system_topics(PARTITIONS, 90), *department_topics([one.code for one in self.city.active], 90)]

    @property
    def inboxes(self) -> list[str]:
        """The inboxes of all departments."""
        return [topics.inbox(one.code) for one in self.city.active]

    def fresh(self) -> None:
        """Empty topics, an empty store."""
        self.place.forget()
        self.place.broker.renew(self.topics)


@dataclass
class Section:
    """Results: figures for the JSON, ratios by their fixed names, tables and text."""

    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


Measure = Callable[[Bench], Section]
