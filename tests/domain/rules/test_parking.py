"""Replaying a parked case: one fact and its event, without other effects."""

from tests.builders import accepted, replayed, told
from tests.domain.rules.stories import BOTH


def test_a_replay_makes_one_event_and_changes_nothing_else() -> None:
    before = told(BOTH, accepted("roads"))
    after = told(replayed(), after_this=before)
    assert after.refusal is None
    assert [one.type for one in after.last.messages] == ["chorus.case.released"]
    assert after.case.sequence == before.case.sequence + 1
    assert (after.case.status, after.case.parts) == (before.case.status, before.case.parts)
