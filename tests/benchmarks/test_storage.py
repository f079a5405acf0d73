"""The storage benchmark: its bytes are those of the documents, and the whole flow runs."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from deploy.local.city import city_folder, read_city
from services.router.domain.city_index import city_index
from tests.benchmarks.contest import REPOSITORY
from tests.benchmarks.place import place
from tests.benchmarks.sections import Bench, storage
from tests.benchmarks.sections.storage import Exchange, measure, medians, read_exchanges, stored

SHORT = Exchange("路灯不亮", "三盏路灯坏了半个月。", "路灯已修复。")
LONG = Exchange(SHORT.subject, SHORT.body * 10, SHORT.reply * 10, "resident@mail.example")


def test_a_missing_collection_counts_as_0() -> None:
    sizes = {"hall_bytes": Counter({"a": 100, "b": 300}), "decisions_bytes": Counter({"a": 1, "b": 2, "c": 6})}
    assert medians(sizes, ["a", "b", "c"]) == {"hall_bytes": 100, "decisions_bytes": 2}


def test_missing_real_messages_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    city = read_city(city_folder())
    monkeypatch.setattr(storage, "REAL", REPOSITORY.parent / "nowhere" / "replies.csv.gz")
    nobody: Bench = Bench(None, city, 1, 1, 1, quick=True, say=print)  # type: ignore[arg-type]  # none is asked
    section = measure(nobody)
    why = "there are no real messages at nowhere/replies.csv.gz beside the repository"
    assert section.figures == {"not_measured": why}
    assert section.sentences == [f"Not measured: storage: {why}."]


def test_rows_are_read_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8-sig", newline="") as rows:
        rows.write('id,subject,body,reply\r\n1,路灯,"坏了，\n请修",好的\r\n2,水管,漏水,修了\r\n')
    assert read_exchanges(file, 1) == [Exchange("路灯", "坏了，\n请修", "好的")]


@pytest.mark.integration
@pytest.mark.usefixtures("running")
def test_every_collection_has_documents_of_a_completed_case(tmp_path: Path) -> None:
    city = read_city(city_folder())
    assert city_index(city).departments[storage.DEPARTMENT]
    with place(tmp_path) as here:
        bench = Bench(here, city, 1, 1, 1, quick=True, say=print)
        bench.fresh()
        [short, long], sizes = stored(here, city, [SHORT, LONG])
    of = {name: (some[short], some[long]) for name, some in sizes.items()}
    assert all(0 < one <= other for one, other in of.values()), of
    without, whole = of["decisions_bytes_without_messages"], of["decisions_bytes"]
    assert without[0] < whole[0]
    assert without[1] < whole[1]
    assert whole[0] < whole[1]
