"""A command shows a field's error once: the pointer stands before it only when the sentence does not name the field."""

import pytest

from deploy.cli.console import field_detail


@pytest.mark.parametrize(
    ("pointer", "detail", "shown"),
    [
        ("/subject", "subject is missing", "subject is missing"),
        ("/contact/email", "contact.email 'x' is not an e-mail address", "contact.email 'x' is not an e-mail address"),
        ("/departments/0/email", '"desk" is not an address', '/departments/0/email "desk" is not an address'),
        ("", "the body is not JSON", "the body is not JSON"),
    ],
)
def test_the_pointer_is_shown_when_the_sentence_does_not_name_the_field(pointer: str, detail: str, shown: str) -> None:
    assert field_detail(pointer, detail) == shown
