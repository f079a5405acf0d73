"""Releasing a case whose inputs were parked: a fact of its own that changes nothing else and is an event alone."""

from tests.builders import accepted, replayed, told
from tests.domain.rules.stories import BOTH


def test_a_replay_is_a_fact_that_changes_nothing_and_is_an_event_alone() -> None:
    before = told(BOTH, accepted("roads"))
    after = told(replayed(), after_this=before)
    assert after.refusal is None
    assert [one.type for one in after.last.messages] == ["chorus.case.released"]
    assert after.case.sequence == before.case.sequence + 1
    assert (after.case.status, after.case.parts) == (before.case.status, before.case.parts)
