"""Messages of gateways, staff and mails in the core: what the case remembers, who may read it, and what an erasure leaves."""

import json

from services.router.domain.decision import case_of, from_document
from services.router.domain.triage import WaitingReason, reasons
from shared.contracts.fields import Contact
from shared.kafka import topics
from tests.builders import Story, assigned, contributed, received, told
from tests.endings import erased

ACCOUNT, STAFF, OTHER = "open-id-7", "王工", "20260315-0000000B"
BY_GATEWAY = received("路灯不亮", channel="wechat", account=ACCOUNT, contact=Contact(phone="13900000000"))


def said(story: Story, words: str) -> set[str]:
    """The topics with a message that contains these words."""
    return {one.topic for one in story.messages if words.encode() in one.value}


def test_the_account_of_a_gateway_is_in_all_messages_to_the_resident_and_nowhere_else() -> None:
    story = told(BY_GATEWAY, contributed("lighting", "亮了"))
    assert said(story, ACCOUNT) == {topics.RESIDENTS}
    own = [json.loads(one.value) for one in story.messages if one.topic == topics.RESIDENTS]
    assert {json.dumps(one["account"]) for one in own} == {json.dumps({"channel": "wechat", "account": ACCOUNT})}
    assert not [one for one in own if ACCOUNT in json.dumps(one["case"])]


def test_who_entered_a_message_is_in_no_message_and_a_part_of_the_case() -> None:
    story = told(received("路灯不亮", channel="hotline", entered_by=STAFF), contributed("lighting", "亮了"))
    assert said(story, STAFF) == set()
    assert story.case.inquiry is not None
    assert story.case.inquiry.entered_by == STAFF


def test_a_message_that_names_a_ticket_waits_in_triage_whatever_the_rules_say() -> None:
    story = told(received("路灯不亮", refers_to=OTHER))
    assert (story.case.status, story.case.parts) == ("triage", {})
    assert said(story, OTHER) == set()
    at = "2026-03-16T04:00:00.000Z"
    assert reasons(story.case, story.decisions) == (WaitingReason("another-ticket", at, words=OTHER),)
    story = told(assigned("lighting"), after_this=story)
    assert story.case.lead == "lighting"
    assert said(story, OTHER) == set()


def test_stored_decisions_give_the_same_case() -> None:
    for step in (BY_GATEWAY, received("路灯", entered_by=STAFF), received("路灯", refers_to=OTHER)):
        story = told(step)
        assert case_of(story.case.inquiry_id, [from_document(one.document()) for one in story.decisions]) == story.case


def test_an_erasure_leaves_nothing_of_them() -> None:
    for step, words in ((BY_GATEWAY, ACCOUNT), (received("路灯", entered_by=STAFF), STAFF)):
        story = told(erased(), after_this=told(step))
        assert words not in repr(story.case)
        assert words.encode() not in b"".join(one.value for one in story.decisions[-1].messages)
