"""Addenda in the hall: a version of their own, with corrections, redactions, and in the replies of earlier rounds."""

from dataclasses import replace

from services.notifier.domain.hall import HallEntry, case_of, shown_entry, unmasked_entry
from services.notifier.domain.publication import (
    HallDecision,
    earlier_replies,
    is_outdated,
    outcome,
    redacted,
    version_of,
)
from services.notifier.hall_documents import entry, entry_document
from services.notifier.hall_versions import Reviewed
from services.notifier.responses import EntryReviewed, FeedItem
from services.notifier.views import hall_entry
from shared.contracts.resident_messages import ResidentTold
from shared.masking.lexicon import NoLexicon
from shared.masking.masking import mask_case
from tests.builders import Step, Story, contributed, rated, received, told
from tests.joining import GOING_AHEAD, late, went_ahead
from tests.publishing import corrected, retracted

OPENING = received("路灯和路面都坏了", public=True)
ANSWERED = (OPENING, contributed("lighting", "灯亮了"), late(went_ahead()))
ADDED = (*ANSWERED, late(contributed("roads", "路补了，电话 13900139000"), 2))
AT = "2026-04-01T00:00:00.000Z"


def in_the_hall(*steps: Step, n: int = 7) -> HallEntry:
    story: Story = told(*steps, city=GOING_AHEAD)
    unmasked = unmasked_entry(ResidentTold.model_validate(story.resident()), n, AT)
    assert unmasked is not None
    return shown_entry(unmasked.entry, mask_case(case_of(unmasked, ()), NoLexicon()))


def test_an_addendum_makes_another_version_and_the_former_one_says_that_it_is_outdated() -> None:
    before, after = version_of(in_the_hall(*ANSWERED, n=5)), version_of(in_the_hall(*ADDED))
    assert before.sha256 != after.sha256
    assert is_outdated(outcome([HallDecision(6, "published", before.sha256)], [before, after]))
    assert not is_outdated(outcome([HallDecision(8, "published", after.sha256)], [before, after]))


def test_a_hash_without_addenda_is_that_of_former_releases() -> None:
    one = in_the_hall(*ANSWERED)
    assert one.addenda == ()
    assert version_of(one).sha256 == version_of(replace(one, answered_at="")).sha256


def test_words_of_an_addendum_are_redacted() -> None:
    made = redacted(version_of(in_the_hall(*ADDED)), 9, "路补")
    assert "路补" not in str(made.entry.addenda)
    assert made.entry.addenda[0].paragraphs[0].name == "道路处"


def test_a_correction_of_the_reply_and_a_retraction_of_the_addendum_are_shown_with_both() -> None:
    steps = (
        *ADDED,
        late(corrected("lighting", "亮了两盏"), 3),
        late(retracted("roads", "电话 13900139000 是私人的"), 4),
    )
    one = entry(entry_document(in_the_hall(*steps)))
    assert [change.text for change in one.changes][:1] == ["灯亮了"]
    page = bytes(hall_entry("zh", one).body).decode()
    assert page.index("亮了两盏") < page.index("补充答复") < page.index("路补了")
    assert "13900139000" not in page
    item = FeedItem.of(one, "http://hall.example")
    assert "13900139000" not in item.content_text
    assert item.content_text.index("亮了两盏") < item.content_text.index("路补了") < item.content_text.index("灯亮了")


def test_the_reviewer_reads_the_addendum() -> None:
    version = version_of(in_the_hall(*ADDED))
    shown = EntryReviewed.of(Reviewed(version, "waiting", None))
    assert [one.paragraphs[0].department for one in shown.addenda] == ["roads"]
    assert "13900139000" not in str(shown)
    assert shown.found == {"reply": 1}


def test_the_answer_of_an_earlier_round_keeps_its_addendum() -> None:
    first = version_of(in_the_hall(*ADDED, n=5))
    reopened = (*ADDED, late(rated(solved=False, satisfied="no", words="没补好"), 3))
    steps = (*reopened, late(contributed("lighting", "又亮了"), 4), late(contributed("roads", "又补了"), 5))
    second = version_of(in_the_hall(*steps, n=9))
    decisions = [HallDecision(6, "published", first.sha256), HallDecision(10, "published", second.sha256)]
    [earlier] = earlier_replies(2, decisions, [first, second])
    assert [one.name for one in earlier.addenda[0].paragraphs] == ["道路处"]
    whole = replace(second.entry, earlier=(earlier,))
    assert entry(entry_document(whole)) == whole
    page = bytes(hall_entry("zh", whole).body).decode()
    assert page.index("补充答复") < page.index("又补了")
