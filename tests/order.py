"""The order of the test files: the longest first, because a long one at the end keeps one worker waiting for the other."""

LONGEST_FIRST = (
    "integration/test_schemathesis.py",
    "chaos/test_scaling.py",
    "chaos/test_planted_faults.py",
    "integration/test_crashes_of_readers.py",
    "integration/test_secure.py",
    "integration/test_crashes.py",
    "integration/test_restore_drill.py",
    "integration/test_compose_kafka.py",
    "benchmarks/test_contest.py",
    "integration/test_hostile_http.py",
    "integration/test_outages.py",
    "integration/test_department_examples.py",
    "e2e/test_demo.py",
    "integration/test_largest_case.py",
    "integration/test_links.py",
    "integration/test_poison.py",
    "integration/test_real_messages.py",
    "integration/test_compose_services.py",
    "chaos/test_chaos_short.py",
    "integration/test_dead_letters.py",
    "integration/test_release.py",
    "integration/test_staff.py",
    "integration/test_crashes_in_between.py",
    "component/test_letters.py",
    "integration/test_transactions.py",
    "integration/test_timers.py",
    "integration/test_poison_corpus.py",
    "component/schedules/test_schedules.py",
    "integration/test_stack.py",
    "integration/test_lost_rights.py",
    "integration/test_bombs.py",
    "contract/test_masking_figures.py",
    "integration/test_versions.py",
)
"""The files that take more than about 20 s, under `tests`, by duration; the users of the shared stack in succession, and the one
that writes thousands of messages as the last of them."""


def place_of(file: str) -> int:
    """The place of a file in the order; files that are not listed follow in their own order."""
    return LONGEST_FIRST.index(file) if file in LONGEST_FIRST else len(LONGEST_FIRST)
