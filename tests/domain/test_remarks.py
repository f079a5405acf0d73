"""Remarks of a service: sentences in `/readyz` that do not make it unready."""

from shared.kafka.publisher import Publisher
from shared.service.readiness import ReadinessChecks
from shared.store.mongo import StoreUnavailable
from tests.fakes import FakePublisher


class Answering(FakePublisher):
    async def answers(self) -> bool:
        return True


def checks(publisher: Publisher) -> ReadinessChecks:
    """Readiness of a service that has started and needs no store."""
    one = ReadinessChecks("router", publisher, None, [], works_without_kafka=False)  # type: ignore[arg-type]
    one.checks.clear()
    one.prepared_at = 1.0
    return one


async def late() -> str | None:
    return "timers are late"


async def nothing() -> str | None:
    return None


async def away() -> str | None:
    raise StoreUnavailable("the store is away")


async def test_a_remark_stands_among_the_reasons_of_a_ready_service() -> None:
    readiness = checks(Answering())
    readiness.remarks += [late, nothing, away]
    assert await readiness.evaluate() == (True, ["timers are late"])


async def test_a_service_that_is_starting_makes_no_remarks() -> None:
    readiness = checks(Answering())
    readiness.remarks.append(late)
    readiness.prepared_at = None
    assert (await readiness.evaluate())[1] == ["router is starting"]
