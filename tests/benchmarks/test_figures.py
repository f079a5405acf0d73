"""The statistics of benchmarks."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.contest import Contender, decision_fingerprints, differences, differences_in_store, fingerprints
from tests.benchmarks.figures import Rounds, number, percentile, rate, ratio, spread, table
from tests.benchmarks.report import GOALS, Result
from tests.benchmarks.sections import Section
from tests.benchmarks.sections.core import hindrance
from tests.benchmarks.workload import committed_rate

HEADERS = [("ce_id", b"1"), ("content-type", b"application/json")]


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.5, 50), (0.505, 51), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_the_value_of_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_every_percentile_of_one_value_is_that_value() -> None:
    assert spread([7.5]) == {"p50": 7.5, "p95": 7.5, "p99": 7.5}


def test_a_rate_counts_from_the_warm_up_to_the_last_output() -> None:
    appended_ms = [*range(1_000, 1_100), *range(2_000, 2_100)]  # a slow start, then a hundred in a tenth of a second
    assert rate(appended_ms, warm_up=101, end_ms=2_198) == 99 * 1000 / 198


def test_records_in_the_last_millisecond_of_the_warm_up_belong_to_it() -> None:
    assert rate([0, 5, 5, 5, 15], warm_up=2, end_ms=15) == 1 * 1000 / 10


def test_a_run_with_only_a_warm_up_is_rejected() -> None:
    with pytest.raises(ValueError, match="3 records are too few to measure after a warm-up of 3; take more"):
        rate([1, 2, 3], warm_up=3, end_ms=4)


def test_a_rate_by_commits_starts_at_the_first_check_after_the_warm_up() -> None:
    looks = [(0.0, 0), (1.0, 100), (2.0, 250), (3.0, 400), (4.0, 600)]
    assert committed_rate(looks, warm_up=200) == (600 - 250) / 2


def test_work_finished_between_two_checks_is_rejected() -> None:
    with pytest.raises(ValueError, match="600 records are too few"):
        committed_rate([(0.0, 0), (1.0, 600)], warm_up=100)


def test_a_ratio_is_computed_for_each_round() -> None:
    ours, theirs = Rounds((200.0, 20.0, 220.0)), Rounds((100.0, 10.0, 100.0))
    assert ratio(ours, theirs) == 2.0


def test_a_ratio_of_different_numbers_of_rounds_is_rejected() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio(Rounds((1.0, 2.0)), Rounds((1.0,)))


def test_rounds_have_median_and_range() -> None:
    assert Rounds((3.0, 1.0, 2.0)).figures() == {"median": 2.0, "min": 1.0, "max": 3.0, "rounds": [3.0, 1.0, 2.0]}


@pytest.mark.parametrize(("value", "shown"), [(12_345.6, "12,346"), (99.94, "99.9"), (0.01234, "0.0123")])
def test_numbers_are_formatted_with_significant_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_table_is_markdown_with_aligned_columns() -> None:
    assert table("Speed", ("", "a second"), [("ours", "12,000"), ("theirs", "9")]).splitlines() == [
        "### Speed",
        "",
        "|        | a second |",
        "|--------|---------:|",
        "| ours   |   12,000 |",
        "| theirs |        9 |",
    ]


# ── the same job ─────────────────────────────────────────────────────────────


def test_the_order_of_records_and_additional_headers_are_ignored() -> None:
    expected = fingerprints([("a", (b"k", b"1", HEADERS)), ("b", (b"k", b"2", HEADERS))])
    found = fingerprints([("b", (b"k", b"2", [("__source", b"x"), *HEADERS])), ("a", (b"k", b"1", HEADERS))])
    assert differences(expected, found) == ""


@pytest.mark.parametrize(
    "other",
    [
        ("b", (b"k", b"1", HEADERS)),
        ("a", (b"j", b"1", HEADERS)),
        ("a", (b"k", b"0", HEADERS)),
        ("a", (b"k", b"1", HEADERS[:1])),
    ],
    ids=["topic", "key", "value", "header"],
)
def test_another_topic_key_value_or_header_is_a_difference(
    other: tuple[str, tuple[bytes, bytes, list[tuple[str, bytes | None]]]],
) -> None:
    said = differences(fingerprints([("a", (b"k", b"1", HEADERS))]), fingerprints([other]))
    assert said == "1 of 1 messages are missing, 1 are there that should not be"


def test_a_duplicate_record_is_a_difference() -> None:
    once = [("a", (b"k", b"1", HEADERS))]
    assert differences(fingerprints(once), fingerprints(once * 2)) == (
        "0 of 1 messages are missing, 1 are there that should not be"
    )


def test_decisions_are_compared_without_offsets_and_field_order() -> None:
    one = {"_id": "a/1", "n": 1, "at": {"partition": 0, "offset": 7}, "words": {"0/body": "路灯"}}
    other = {"words": {"0/body": "路灯"}, "at": {"partition": 3, "offset": 2}, "n": 1, "_id": "a"}
    expected = decision_fingerprints([one])
    assert differences_in_store(expected, decision_fingerprints([other])) == ""
    assert differences_in_store(expected, decision_fingerprints([one | {"words": {"0/body": "灯"}}])) == (
        "1 of 1 decisions are missing, 1 are there that should not be"
    )


# ── the report ───────────────────────────────────────────────────────────────


def test_a_report_lists_every_goal_as_kept_missed_or_not_measured(tmp_path: Path) -> None:
    ratios = {"core_vs_aiokafka": 2.0, "core_vs_quix": 1.99, "latency_p50": 2.0, "backlog_growth": 10.6}
    result = Result({"cores": 2}, {"kafka": "4.1.1", "rivals": {}}, "a store", {"core": Section({"a": 1}, ratios)})
    result.write("latest", tmp_path)
    document = json.loads((tmp_path / "latest.json").read_text())
    assert document["ratios"] == dict.fromkeys(GOALS) | ratios
    assert document["figures"] == {"core": {"a": 1}}
    verdicts = {
        name: next(line for line in result.markdown().splitlines() if GOALS[name].says in line).split("|")[-2].strip()
        for name in (*ratios, "core_vs_faust")
    }
    assert verdicts == {
        "core_vs_aiokafka": "kept",
        "core_vs_quix": "MISSED",
        "latency_p50": "kept",
        "backlog_growth": "MISSED",
        "core_vs_faust": "not measured",
    }


def test_a_library_that_is_not_installed_is_reported_with_the_reason(tmp_path: Path) -> None:
    rival = Contender("Faust", "tests.benchmarks.programs.faust_app", "g", python=tmp_path / "there" / "bin" / "python")
    assert hindrance(rival) == "its environment there does not exist; `make bench` creates it"


def test_a_library_without_a_program_is_reported_with_the_reason() -> None:
    assert hindrance(Contender("x", "tests.benchmarks.programs.nobody", "g")) == (
        "there is no program tests.benchmarks.programs.nobody"
    )
