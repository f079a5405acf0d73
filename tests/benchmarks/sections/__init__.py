"""The sections of a benchmark: each measures one thing side by side and says what it found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.router.domain.city_index import CityIndex, city_index
from shared.city import City
from shared.kafka import topics
from shared.kafka.topics import Topic, department_topics, system_topics
from tests.benchmarks.contest import PARTITIONS, Say
from tests.benchmarks.letters import Letter, write_letters
from tests.benchmarks.place import Place


@dataclass(frozen=True)
class Bench:
    """What every section is given; `size` is the number of records of one run of a fast contender."""

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
        """For what takes long by itself, or is many measurements in one."""
        return max(self.rounds * 3 // 5, 1)

    def letters(self, number: int, named: Sequence[str] = ()) -> list[Letter]:
        """So many letters, the same in every section."""
        return write_letters(self.city, number, self.seed, named)

    @property
    def topics(self) -> list[Topic]:
        """Every topic that provisioning makes for this city."""
        return [*system_topics(PARTITIONS, 90), *department_topics([one.code for one in self.city.active], 90)]

    @property
    def inboxes(self) -> list[str]:
        """The departments' inboxes."""
        return [topics.inbox(one.code) for one in self.city.active]

    def fresh(self) -> None:
        """Empty topics, an empty store."""
        self.place.forget()
        self.place.broker.renew(self.topics)


@dataclass
class Section:
    """What was found: figures for the JSON, ratios by their fixed names, tables and sentences for people."""

    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


Measure = Callable[[Bench], Section]
