"""The core's job as pure functions, the same for every contender, so that only the plumbing differs."""

from collections.abc import Iterator
from typing import Any

from deploy.local.city import city_folder, read_city
from services.router.core.input_decoder import read_input
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decide import decide, with_distinct_id
from services.router.domain.decision import Decision, after
from shared.contracts.envelope import Header
from shared.kafka.records import Record
from shared.service.process import tune_python

Row = tuple[str, bytes, bytes, list[Header]]


def the_directory() -> CityIndex:
    """The city in $CHORUS_CITY, or the sample city, compiled."""
    return city_index(read_city(city_folder()))


class Work:
    """Validates, folds and decides; keeps all cases in memory."""

    def __init__(self, city: CityIndex) -> None:
        tune_python()
        self.city = city
        self.cases: dict[str, Case] = {}

    def decide(self, record: Record) -> Decision | None:
        """The decision on a record; None for a repeat."""
        given = read_input(record)
        case = self.cases.get(given.inquiry_id) or Case(given.inquiry_id)
        given = with_distinct_id(case, given)
        if given.id in case.causes:
            return None
        decision = decide(case, given, self.city)
        self.cases[given.inquiry_id] = after(case, decision)
        return decision


def record_of(raw: Any) -> Record:
    """A record of aiokafka."""
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)


def rows_of(decision: Decision | None) -> Iterator[Row]:
    """The messages of a decision: topic, key, value, headers."""
    for message in decision.messages if decision else ():
        yield message.topic, *message.record
