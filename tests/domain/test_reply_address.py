"""The reply address of a ticket: valid for this ticket and mailbox alone, short enough, and deaf to upper and lower case."""

from typing import Any

import pytest

from shared.channels.reply_address import is_mailbox, reply_address, ticket_of
from tests.builders import CITY, INQUIRY
from tests.mailing import SECRET, a_delivery, an_offer, delivery_of, resident_mail, writer

BOX = "chorus@city.example"
OTHER = f"{INQUIRY[:9]}0000000B"


def test_an_address_proves_its_ticket() -> None:
    address = reply_address(SECRET, BOX, INQUIRY)
    assert len(address.partition("@")[0]) <= 64
    assert ticket_of(SECRET, BOX, ["x@y.example", address]) == INQUIRY
    assert ticket_of(SECRET, BOX, [address.upper()]) == INQUIRY


@pytest.mark.parametrize(
    "forged",
    [
        BOX,
        reply_address(b"another secret of a stranger, 32 b", BOX, INQUIRY),
        reply_address(SECRET, BOX, OTHER).replace(OTHER.lower(), INQUIRY.lower()),
        reply_address(SECRET, BOX, INQUIRY)[: -len("@city.example") - 1] + "@city.example",
        reply_address(SECRET, BOX, INQUIRY).replace("city.example", "other.example"),
        f"chorus+{INQUIRY.lower()}-@city.example",
        f"chorus+{INQUIRY.lower()}@city.example",
        "chorus+-é@city.example",
        "+@",
        "",
    ],
)
def test_another_address_proves_nothing(forged: str) -> None:
    assert ticket_of(SECRET, BOX, [forged]) is None


def test_a_mailbox_is_known_with_and_without_a_tag() -> None:
    assert is_mailbox(BOX, "Chorus+x-y@CITY.example")
    assert not is_mailbox(BOX, "chorus.x@city.example")
    assert not is_mailbox(BOX, "chorus@city.example.evil")


def test_mails_to_residents_have_it_and_those_to_departments_do_not() -> None:
    settings: dict[str, Any] = {"mail_in": BOX, "mail_reply_to": "office@city.example"}
    made = resident_mail(a_delivery(), **settings)
    assert made["Reply-To"] == reply_address(SECRET, BOX, INQUIRY)
    assert made.get_all("Reply-To") == [made["Reply-To"]]
    assert ticket_of(SECRET, BOX, [str(made["Reply-To"])]) == INQUIRY
    assert resident_mail(a_delivery())["Reply-To"] is None
    department = writer(**settings).to_department([delivery_of(an_offer())], CITY, None)
    assert department["Reply-To"] == "office@city.example"
