"""A minimal contest on its own broker: no time is asserted, only that all contenders do the same job."""

from pathlib import Path

import pytest

from deploy.local.city import city_folder, read_city
from services.router.domain.city_index import city_index
from tests.benchmarks.contest import Arena, Contender, differences
from tests.benchmarks.messages import write_messages
from tests.benchmarks.place import place
from tests.benchmarks.sections.core import OURS, OURS_STORED, WITH_STORE, WITHOUT_STORE, Contest

MESSAGES, WARM_UP = 300, 30
NOBODY = Contender("nobody", "tests.benchmarks.programs.nobody", "bench-nobody")


@pytest.mark.integration
@pytest.mark.usefixtures("running")  # skipped where no broker can run
def test_the_core_and_a_plain_loop_write_the_same_records(tmp_path: Path) -> None:
    city = read_city(city_folder())
    with place(tmp_path) as here:
        arena = Arena(here, city_index(city), write_messages(city, MESSAGES, seed=1), WARM_UP, print)
        loop = WITHOUT_STORE["core_vs_aiokafka"]
        contest = Contest(arena, OURS, {"core_vs_aiokafka": loop, "core_vs_nobody": NOBODY})
        contest.check()
        assert [one.name for one in contest.contenders] == [OURS.name, loop.name]
        assert contest.not_the_same == {}
        assert contest.figures()["nobody"] == {"not_measured": "there is no program tests.benchmarks.programs.nobody"}
        stored = Contest(arena, OURS_STORED, WITH_STORE)
        stored.check()
        assert [one.name for one in stored.contenders] == [
            "chorus, stored",
            "upserts, a send loop",
            "same inserts, by hand",
        ]
        assert stored.not_the_same == {}
        # The comparison can fail: one additional record in an inbox is a difference.
        same = arena.found()
        here.broker.write([(arena.outputs[-1].name, (b"key", b"{}", []))])
        assert differences(same, arena.found()) == (
            f"0 of {same.total()} messages are missing, 1 are there that should not be"
        )
