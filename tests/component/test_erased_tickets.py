"""An erased inquiry at intake: concurrent and later messages."""

from typing import Any

import pytest

from services.intake.erasure import erase as erase_at_intake
from shared.ledger.ledger import Entry
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.builders import INQUIRY, accepted, contributed, received, told
from tests.component.conftest import in_background
from tests.component.test_intake import GOOD_WORD, Intake
from tests.fakes import FakePublisher

STORY = told(received("路灯不亮"), accepted("lighting"), contributed("lighting", "亮了"))


async def test_a_rating_during_erasure_leaves_no_text(
    database: Database, publisher: FakePublisher, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Intake(database, publisher, settings)
    await intake.ledger.prepare()
    async with intake.http, in_background(intake.ledger.write_groups):
        receipt = (await intake.write()).json()
        inquiry_id = receipt["inquiry_id"]
        await intake.hear(told(received("路灯不亮"), contributed("lighting", "亮了"), inquiry_id=inquiry_id))
        accept = intake.ledger.accept

        async def after_the_erasure(given: Entry) -> Any:
            await erase_at_intake(intake.store, intake.ledger, inquiry_id, 9)
            return await accept(given)

        monkeypatch.setattr(intake.ledger, "accept", after_the_erasure)
        where, code = f"/inquiries/{inquiry_id}/rating", {"X-Query-Code": receipt["query_code"]}
        assert (await intake.http.post(where, json=GOOD_WORD, headers=code)).status_code == 409
    entries = await intake.ledger.of(inquiry_id)
    assert [(one["n"], "value" in one) for one in entries] == [(0, False), (1, False)]


async def test_messages_after_an_erasure_keep_their_text(
    database: Database, publisher: FakePublisher, settings: Settings
) -> None:
    intake = Intake(database, publisher, settings)
    await intake.store.tombstones.set(INQUIRY, 2)
    await intake.hear(STORY)
    assert {one.n for one in await intake.store.updates(INQUIRY)} == {3}
    assert {one["n"] for one in await intake.store.tickets.find({}).to_list(None)} == {1, 2, 3}
    await intake.http.aclose()
