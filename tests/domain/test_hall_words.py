"""The hall masks personal data in every field: subject, body and replies."""

import pytest

from services.notifier.domain.hall import hall_entry
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import ResidentTold
from tests.builders import contributed, received, told

NAME, PHONE, MAIL = "欧阳晓岚", "13800138000", "lan@mail.example"
WRITER = Contact(name=NAME, phone=PHONE, email=MAIL)


@pytest.mark.parametrize("secret", [NAME, PHONE, MAIL])
@pytest.mark.parametrize("field", ["subject", "body", "answer"])
def test_the_writers_name_and_contact_are_masked_in_every_field(field: str, secret: str) -> None:
    words = {"subject": "路灯不亮", "body": "三盏路灯坏了。", "answer": "路灯已修复。"}
    words[field] = f"路灯，请告知 {secret}。"
    story = told(
        received(words["subject"], body=words["body"], public=True, contact=WRITER),
        contributed("lighting", words["answer"]),
    )
    entry = hall_entry(ResidentTold.model_validate(story.resident()), 2, "2026-03-16T05:00:00.000Z")
    assert entry is not None
    shown = repr(entry)
    assert secret not in shown
    assert "＊＊＊" in shown
