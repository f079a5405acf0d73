"""The same message of one client, again and again: limited with a sentence, and none is dropped silently."""

from collections.abc import AsyncIterator

import pytest

from services.intake.submissions import SAME_MESSAGES
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.builders import CITY
from tests.component.conftest import in_background
from tests.component.test_intake import BEARER, GOOD, KEY, Intake, problem
from tests.fakes import FakePublisher


@pytest.fixture
async def intake(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[Intake]:
    """An intake that limits clients."""
    one = Intake(database, publisher, settings.model_copy(update={"submissions_per_minute": 60}))
    await one.store.prepare()
    await one.ledger.prepare()
    one.city.use(CITY)
    async with one.http, in_background(one.ledger.write_groups, Relay(one.ledger, publisher).publish_fresh):
        yield one


async def test_every_message_up_to_the_limit_is_registered_and_the_next_one_is_told_so(intake: Intake) -> None:
    tickets = {(await intake.write()).json()["inquiry_id"] for _ in range(SAME_MESSAGES)}
    assert len(tickets) == SAME_MESSAGES, "each has a ticket of its own"
    refused = await intake.write(body=f"  {GOOD['body']}！！")
    assert "each one is registered" in problem(refused, 429)["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 3_600
    assert await intake.ledger.entries.count_documents({}) == SAME_MESSAGES


async def test_other_words_another_contact_and_an_operator_are_not_limited(intake: Intake) -> None:
    for _ in range(SAME_MESSAGES):
        await intake.write()
    assert (await intake.write(body="门口的路灯坏了四天。")).status_code == 202
    assert (await intake.write(contact={"phone": "13900000001"})).status_code == 202
    assert (await intake.write(BEARER)).status_code == 202
    problem(await intake.write(), 429)


async def test_a_repeated_request_with_its_key_is_one_message_and_is_not_counted(intake: Intake) -> None:
    answers = [await intake.write({"Idempotency-Key": KEY}) for _ in range(SAME_MESSAGES + 2)]
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["inquiry_id"] for one in answers}) == 1


async def test_the_form_keeps_the_text_and_says_what_to_do(intake: Intake) -> None:
    fields = {"subject": GOOD["subject"], "body": GOOD["body"]}
    pages = [await intake.http.post("/", params={"lang": "en"}, data=fields) for _ in range(SAME_MESSAGES + 1)]
    assert [one.status_code for one in pages] == [202] * SAME_MESSAGES + [429]
    assert "already sent this message several times" in pages[-1].text
    assert GOOD["body"] in pages[-1].text
    assert int(pages[-1].headers["retry-after"]) > 0
