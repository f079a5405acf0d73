"""Files in mails: cleaned like those of the form, named where they are not accepted, and without places in the original."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intake.erasure import erase
from services.intake.mail.mails import MailIntake
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.channels.reply_address import reply_address
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.component.conftest import in_background
from tests.component.filing import FilingIntake, everything_in
from tests.component.test_intake import SECRET
from tests.incoming import BOX, RESIDENT, a_mail
from tests.sample_files import SECRETS, photo


class Filing(FilingIntake):
    """An intake that takes files and mails."""

    def __init__(self, database: Database, settings: Settings, folder: Path) -> None:
        super().__init__(database, settings, folder)
        given = settings.model_copy(update={"mail_in": BOX})
        submissions = Submissions(self.ledger, self.city, given, SECRET, self.files)
        tickets = Tickets(self.store, self.ledger, given, SECRET, self.files)
        self.mails = MailIntake(self.store.mails, submissions, tickets, given, SECRET)


@pytest.fixture
async def filing(database: Database, settings: Settings, tmp_path: Path) -> AsyncIterator[Filing]:
    one = Filing(database, settings, tmp_path)
    await one.store.prepare()
    await one.ledger.prepare()
    async with one.http, in_background(one.ledger.write_groups):
        yield one


async def test_a_photo_is_cleaned_and_its_place_is_nowhere(filing: Filing, database: Database) -> None:
    mail = a_mail()
    mail.add_attachment(photo(), maintype="image", subtype="jpeg", filename="路灯.jpg")
    mail.add_attachment(b"MZ", maintype="application", subtype="x-msdownload", filename="a.exe")
    picture = base64.b64encode(photo())[:60]
    assert picture in mail.as_bytes()
    assert (await filing.mails.take(mail.as_bytes(), RESIDENT, [BOX])).outcome == "inquiry"
    [value] = await filing.entries()
    assert len(value["files"]) == 1
    assert ("a.exe" in value["body"], "路灯.jpg" in value["body"]) == (True, False)
    stored = b"".join(one.read_bytes() for one in filing.contents())
    assert [secret for secret in SECRETS if secret in stored] == []
    [kept] = await filing.store.mails.of(value["inquiry_id"])
    assert (b"TVo=" in kept["raw"], picture in kept["raw"]) == (True, False), "only the picture is missing"
    assert (await filing.mails.take(mail.as_bytes(), RESIDENT, [BOX])).outcome == "repeated"

    ticket = value["inquiry_id"]
    reply = a_mail("", To=reply_address(SECRET, BOX, ticket), Message_ID="<r@mail.example>")
    reply.add_attachment(photo(), maintype="image", subtype="jpeg", filename="二.jpg")
    assert (await filing.mails.take(reply.as_bytes(), RESIDENT, [BOX])).outcome == "addition"
    added = (await filing.entries())[-1]
    assert (len(added["files"]), added["text"]) == (1, "随邮件发来：二.jpg")

    await erase(filing.store, filing.ledger, ticket, 9, filing.files)
    assert filing.contents() == []
    assert "路灯.jpg" not in await everything_in(database)
