"""Releasing a case whose inputs were parked: a fact of its own that changes nothing else and is told to nobody."""

from tests.builders import accepted, replayed, told
from tests.domain.rules.stories import BOTH


def test_a_replay_is_a_fact_that_changes_nothing_and_is_told_to_nobody() -> None:
    before = told(BOTH, accepted("roads"))
    after = told(replayed(), after_this=before)
    assert after.refusal is None
    assert after.last.messages == ()
    assert (after.case.status, after.case.parts, after.case.sequence) == (
        before.case.status,
        before.case.parts,
        before.case.sequence,
    )
