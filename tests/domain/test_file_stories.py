"""Files of residents and departments: who gets which, and that approvals are for the files too."""

import json
from typing import Any

from shared.contracts.case_commands import CaseApprove
from shared.kafka import topics
from tests.builders import DIRECTORY, Step, Story, at_the_desk, contributed, drafted, received, returned, told
from tests.filed import PHOTO, PLAN, SOUND, with_files
from tests.releasing import ONE, approved


def written(story: Story, topic: str) -> list[dict[str, Any]]:
    return [json.loads(one.value) for one in story.messages if one.topic == topic]


def test_every_department_gets_the_ids_of_the_residents_files() -> None:
    story = told(received("路灯和路面都坏了", files=(PHOTO, SOUND)), returned("roads"), city=DIRECTORY)
    assert written(story, topics.inbox("lighting"))[0]["files"] == [PHOTO, SOUND]
    assert written(story, topics.inbox("roads"))[0]["files"] == [PHOTO, SOUND]


def test_a_message_without_files_says_nothing_about_files() -> None:
    story = told(received("路灯不亮"), contributed("lighting", "亮了"))
    assert b"files" not in b"".join(one.value for one in story.messages)


def test_the_resident_gets_the_files_of_a_department_with_the_answer_and_not_before() -> None:
    before = told(received("路灯和路面都坏了"), with_files("lighting", "灯亮了", PHOTO, PLAN))
    assert PHOTO not in str(written(before, topics.RESIDENTS))
    story = told(contributed("roads", "路补了"), after_this=before)
    reply = written(story, topics.RESIDENTS)[-1]["case"]["reply"]
    assert [one.get("files") for one in reply["paragraphs"]] == [[PHOTO, PLAN], None]
    [event] = [one for one in written(before, topics.EVENTS) if one["type"] == "chorus.part.contributed"]
    assert event["files"] == [PHOTO, PLAN]


def approval(*file_ids: str) -> Step:
    """An approval of the newest text that names these files."""

    def payload(case: Any) -> CaseApprove:
        assert case.reply is not None
        return CaseApprove(inquiry_id=case.inquiry_id, text_hash=case.reply.sha256, files=file_ids)

    return at_the_desk(Step(payload), 567890123, "approver")


def test_an_approval_is_for_the_files_too() -> None:
    waiting = told(received("路灯不亮"), with_files("lighting", "灯亮了", PHOTO, PLAN), city=ONE)
    for named in ((), (PHOTO,), (PHOTO, PLAN, SOUND)):
        refused = told(approval(*named), after_this=waiting, city=ONE)
        assert refused.decisions[-1].refusal == "other-files"
        assert refused.case.status == "awaiting-release"
    assert told(approval(PLAN, PHOTO), after_this=waiting, city=ONE).case.status == "answered"


def test_a_reply_without_files_is_approved_as_before() -> None:
    waiting = told(received("路灯不亮"), contributed("lighting", "灯亮了"), city=ONE)
    assert told(approved(567890123), after_this=waiting, city=ONE).case.status == "answered"
    assert told(approval(PHOTO), after_this=waiting, city=ONE).decisions[-1].refusal == "other-files"


def test_other_files_with_the_same_text_make_a_new_version() -> None:
    waiting = told(received("路灯不亮"), with_files("lighting", "灯亮了", PHOTO), city=ONE)
    changed = told(with_files("lighting", "灯亮了", PLAN), after_this=waiting, city=ONE)
    assert changed.case.reply is not None
    assert (changed.case.reply.version, changed.case.reply.files) == (2, (PLAN,))
    assert told(approval(PHOTO), after_this=changed, city=ONE).decisions[-1].refusal == "other-files"
    same = told(with_files("lighting", "灯亮了", PLAN), after_this=changed, city=ONE)
    assert same.decisions[-1].refusal == "contribution-unchanged"


def test_a_draft_has_no_files() -> None:
    story = told(received("路灯不亮"), drafted("lighting", "草稿"))
    assert story.case.parts[f"{story.case.inquiry_id}-p1"].files == ()
