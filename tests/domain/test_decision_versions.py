"""The version of a decision: a router waits at a case that it would decide wrongly, and reads all others."""

from services.router.domain.decision import OLDEST_VERSION, VERSION
from tests.builders import Story, accepted, contributed, told
from tests.domain.rules.stories import BOTH
from tests.releasing import ONE, approved, release_refused, reply_edited

IN = (BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))


def versions(story: Story) -> list[int]:
    return [one.document()["v"] for one in story.decisions]


def test_a_former_router_reads_a_case_that_it_decides_in_the_same_way() -> None:
    assert versions(told(*IN)) == [OLDEST_VERSION] * 3
    assert versions(told(BOTH, accepted("roads"), accepted("roads"))) == [OLDEST_VERSION] * 3


def test_a_former_router_waits_at_a_case_whose_reply_it_would_release_at_once() -> None:
    story = told(*IN, reply_edited(opening="您好："), release_refused(), approved(), city=ONE)
    assert versions(story) == [OLDEST_VERSION, OLDEST_VERSION, VERSION, VERSION, VERSION, OLDEST_VERSION]
