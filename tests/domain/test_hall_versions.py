"""What the hall shows: only the version that a decision names, whatever arrives in which order and how often."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.hall import HallEntry
from services.notifier.domain.publication import (
    HallDecision,
    HallOutcome,
    HallVersion,
    is_outdated,
    outcome,
    redactions,
    version_of,
)
from shared.contracts.resident_messages import Paragraph, ReplyChange
from tests.builders import INQUIRY, MONDAY_NOON

ENTRY = HallEntry(
    INQUIRY,
    3,
    1,
    "2026-03-16T05:00:00.000Z",
    "zh",
    "三单元路灯不亮",
    "我住三单元。",
    (Paragraph(department="lighting", name="三单元路灯所", text="三单元的灯亮了"),),
    opening="三单元居民您好：",
)
FIRST = version_of(ENTRY)
SECOND = version_of(replace(ENTRY, n=9, round=2, body="又不亮了。"))


def after(decisions: Sequence[HallDecision], *versions: HallVersion) -> HallOutcome:
    """The outcome, with the versions that the redactions make."""
    return outcome(decisions, [*versions, *redactions(decisions, versions)])


def publication(n: int, of: HallVersion) -> HallDecision:
    return HallDecision(n, "published", of.sha256)


def test_a_version_waits_until_a_decision_names_its_hash() -> None:
    assert after([], FIRST) == HallOutcome(None, FIRST, "waiting")
    assert after([publication(4, FIRST)], FIRST) == HallOutcome(FIRST, FIRST, "published")
    assert after([HallDecision(4, "published", "0" * 64)], FIRST).shown is None


def test_a_publication_of_a_version_that_is_not_here_yet_changes_nothing_until_it_is() -> None:
    decisions = [publication(4, FIRST), publication(10, SECOND)]
    assert after(decisions).shown is None
    assert after(decisions, FIRST).shown == FIRST
    assert after(decisions, FIRST, SECOND) == HallOutcome(SECOND, SECOND, "published")


def test_the_policy_publishes_the_version_of_its_own_decision_and_no_other() -> None:
    assert after([HallDecision(3, "published")], FIRST).shown == FIRST
    assert after([HallDecision(3, "published")], SECOND).shown is None
    assert after([HallDecision(3, "published")], FIRST, SECOND) == HallOutcome(FIRST, SECOND, "waiting")


def test_a_hidden_inquiry_is_not_shown_whichever_version_was_read() -> None:
    decisions = [publication(4, FIRST), HallDecision(5, "hidden", SECOND.sha256)]
    assert after(decisions, FIRST) == HallOutcome(None, FIRST, "hidden")
    assert after([*decisions, publication(6, FIRST)], FIRST).shown == FIRST
    assert after([HallDecision(4, "hidden", None)], FIRST, SECOND).state == "waiting"


def test_a_redaction_hides_words_in_every_text_but_the_names_and_takes_the_place_of_what_is_shown() -> None:
    decisions = [publication(4, FIRST), HallDecision(5, "redacted", FIRST.sha256, "三单元")]
    shown = after(decisions, FIRST).shown
    assert shown is not None
    entry = shown.entry
    assert (entry.subject, entry.body, entry.opening) == ("＊＊＊路灯不亮", "我住＊＊＊。", "＊＊＊居民您好：")
    assert [(one.name, one.text) for one in entry.paragraphs] == [("三单元路灯所", "＊＊＊的灯亮了")]
    assert shown.sha256 != FIRST.sha256


def test_a_redaction_of_a_version_that_waits_makes_one_that_waits() -> None:
    decisions = [HallDecision(4, "redacted", FIRST.sha256, "三单元")]
    found = after(decisions, FIRST)
    assert (found.shown, found.state) == (None, "waiting")
    assert found.newest is not None
    assert found.newest.of == FIRST.sha256
    assert after([*decisions, publication(5, found.newest)], FIRST).shown == found.newest


def test_words_that_the_version_does_not_have_still_make_a_version_of_its_own() -> None:
    [made] = redactions([HallDecision(4, "redacted", FIRST.sha256, "不在其中")], [FIRST])
    assert (made.entry.body, made.sha256 == FIRST.sha256) == (ENTRY.body, False)


def test_redactions_follow_each_other_and_are_made_once() -> None:
    first = HallDecision(4, "redacted", FIRST.sha256, "三单元")
    [once] = redactions([first], [FIRST])
    second = HallDecision(5, "redacted", once.sha256, "我住")
    [again] = redactions([first, second], [FIRST, once])
    assert (again.entry.body, again.entry.redactions) == ("＊＊＊＊＊＊。", 2)
    assert redactions([first, second], [FIRST, once, again]) == []
    assert redactions([second, first], [FIRST]) == [once, again]
    assert after([publication(3, FIRST), first, second], FIRST).shown == again


def test_a_reply_that_was_corrected_after_the_shown_version_is_outdated() -> None:
    change = ReplyChange(what="corrected", at=MONDAY_NOON, department="lighting", name="路灯所", text="前文")
    newer = version_of(replace(ENTRY, n=7, changes=(change,)))
    decisions = [publication(4, FIRST)]
    assert is_outdated(after(decisions, FIRST, newer))
    assert not is_outdated(after([*decisions, publication(8, newer)], FIRST, newer))
    assert not is_outdated(after(decisions, FIRST, SECOND))


DECISIONS = [
    publication(4, FIRST),
    HallDecision(5, "redacted", FIRST.sha256, "三单元"),
    HallDecision(6, "hidden", FIRST.sha256),
    publication(10, SECOND),
]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    given_in_order = [DECISIONS[at] for at in order]
    for end in range(5):
        some = sorted(given_in_order[:end], key=lambda one: one.n)
        assert after(given_in_order[:end], SECOND, FIRST) == after(some, FIRST, SECOND)


KINDS = st.sampled_from(["published", "hidden", "redacted"])
HASHES = st.sampled_from([FIRST.sha256, SECOND.sha256, "0" * 64, None])


@given(st.lists(st.tuples(KINDS, HASHES), max_size=6), st.sets(st.sampled_from([0, 1])))
def test_only_versions_that_a_decision_names_are_ever_shown(
    decided: list[tuple[str, str | None]], here: set[int]
) -> None:
    """A shown version is one that was published, or what redactions made of it; and the last word is never ignored."""
    decisions = [HallDecision(n, what, of, "三单元") for n, (what, of) in enumerate(decided, 11)]
    versions = [(FIRST, SECOND)[at] for at in sorted(here)]
    known = [*versions, *redactions(decisions, versions)]
    shown = outcome(decisions, known).shown
    if shown is not None:
        origin = shown
        while origin.of is not None:
            origin = next(one for one in known if one.sha256 == origin.of)
        assert origin.sha256 in {one.sha256 for one in decisions if one.what == "published"}
    if decisions and decisions[-1].what == "hidden":
        assert shown is None
    if shown is not None:
        last = [one for one in decisions if one.what == "redacted" and one.sha256 == shown.sha256]
        after_it = [one for one in decisions if one.what == "published" and one.sha256 == shown.sha256]
        assert not last or (after_it and after_it[-1].n > last[-1].n)
