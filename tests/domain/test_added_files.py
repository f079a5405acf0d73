"""Files that residents add, and the files of parts that are corrected, late, delegated or of an earlier round."""

from typing import Any

from services.router.domain.outputs.resident import picture_of
from services.router.files.case_files import files_of, visible_files
from shared.contracts.department_inbox import INBOX
from shared.contracts.resident_inputs import InquiryRated
from shared.kafka import topics
from tests.asking import ASKING, added, asked
from tests.builders import DIRECTORY, Step, Story, assigned, contributed, received, returned, told
from tests.delegating import BUREAUS, LIFTS, delegated
from tests.endings import erased
from tests.filed import PHOTO, PLAN, SOUND, with_files
from tests.joining import GOING_AHEAD, late, went_ahead
from tests.publishing import corrected

BOTH = received("路灯和路面都坏了")


def inbox(story: Story, department: str, kind: str) -> list[dict[str, Any]]:
    """The messages of a kind in a department's inbox, which keep their contract."""
    found = [fields for type_, fields in story.on(topics.inbox(department)) if type_ == kind]
    for one in found:
        INBOX[f"chorus.{kind}"].model_validate(one)
    return found


def test_every_department_gets_the_files_of_an_addition_once() -> None:
    story = told(BOTH, asked("lighting"), added("见照片。", (PHOTO, SOUND)), city=ASKING)
    for department in ("lighting", "roads"):
        assert [one["files"] for one in inbox(story, department, "part.added")] == [[PHOTO, SOUND]]
    [event] = [fields for type_, fields in story.on(topics.EVENTS) if type_ == "inquiry.added"]
    assert event["files"] == [PHOTO, SOUND]
    assert dict(files_of(story.case)) == {PHOTO: None, SOUND: None}


def test_an_addition_without_files_says_nothing_about_files() -> None:
    story = told(BOTH, added("三号楼。"), returned("roads"))
    assert all(b"files" not in one.value for one in story.messages)


def test_a_later_department_gets_the_files_that_were_added_before() -> None:
    story = told(
        BOTH, added("见照片。", (PHOTO,)), added("没有照片。"), returned("roads"), assigned("lighting", "water")
    )
    [offered] = inbox(story, "water", "part.offered")
    assert [(one["text"], one.get("files")) for one in offered["added"]] == [
        ("见照片。", [PHOTO]),
        ("没有照片。", None),
    ]


def shown_to_resident(story: Story) -> Any:
    picture = picture_of(story.case, DIRECTORY)
    assert picture is not None
    return picture.fields["reply"]


def test_a_correction_keeps_the_files_of_the_part() -> None:
    answered = told(BOTH, with_files("lighting", "灯亮了", PHOTO), contributed("roads", "路补了"))
    story = told(corrected("lighting", "亮了两盏"), after_this=answered)
    [first, second] = shown_to_resident(story)["paragraphs"]
    assert (first["text"], list(first["files"]), "files" in second) == ("亮了两盏", [PHOTO], False)


def test_an_addendum_has_the_files_of_the_late_part() -> None:
    story = told(
        BOTH,
        contributed("lighting", "灯亮了"),
        late(went_ahead()),
        late(with_files("roads", "路补了", PLAN), 2),
        city=GOING_AHEAD,
    )
    [addendum] = shown_to_resident(story)["addenda"]
    assert [list(one["files"]) for one in addendum["paragraphs"]] == [[PLAN]]


def test_the_department_above_gets_the_files_of_a_piece_and_others_do_not() -> None:
    story = told(LIFTS, delegated("quality", "quality-east"), with_files("quality-east", "已核查", PLAN), city=BUREAUS)
    assert [one["files"] for one in inbox(story, "quality", "part.contributed")] == [[PLAN]]
    rows = [{"file_id": file_id, "part_id": part_id} for file_id, part_id in files_of(story.case)]
    seen = {code: visible_files(rows, story.case, code, []) for code in ("quality", "quality-east", "quality-west")}
    assert {code: len(one) for code, one in seen.items()} == {"quality": 1, "quality-east": 1, "quality-west": 0}
    assert PLAN not in str(story.on(topics.RESIDENTS))


def discontent() -> Step:
    return Step(
        lambda case: InquiryRated(inquiry_id=case.inquiry_id, round=1, solved=False, satisfied="no", words="没修")
    )


def test_files_of_an_earlier_round_stay_with_the_case() -> None:
    answered = told(BOTH, with_files("lighting", "灯亮了", PHOTO), contributed("roads", "路补了"))
    story = told(discontent(), after_this=answered)
    assert [file_id for file_id, _ in files_of(story.case)] == [PHOTO]
    assert [one.files for one in inbox_replies(story)] == [(PHOTO,)]


def inbox_replies(story: Story) -> list[Any]:
    """The replies of earlier rounds."""
    return [one.reply for one in story.case.earlier] or [story.case.released]


def test_what_follows_from_an_erasure_names_no_file() -> None:
    before = told(BOTH, added("见照片。", (PHOTO,)), with_files("lighting", "灯亮了", PLAN))
    story = told(erased(), after_this=before)
    messages = story.decisions[-1].messages
    assert messages
    assert not any(one.encode() in message.value for message in messages for one in (PHOTO, PLAN))
