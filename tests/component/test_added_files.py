"""Files that residents add to a ticket: through the API and the page, their limits, repeats, kills and erasure."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.erasure import erase
from shared.files.references import UNUSED_FOR
from shared.ledger.ledger import Entry
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.component.filing import FilingIntake, everything_in, intake
from tests.component.test_intake import problem
from tests.component.test_resident_files import FILE_ID, send, shown, ticket_of
from tests.sample_files import SECRETS, photo

__all__ = ["intake"]

Ticket = dict[str, str]
STATUS_PAGE = {"Accept": "text/html"}


async def sent(intake: FilingIntake, ticket: Ticket, content: bytes | None = None, name: str = "a.jpg") -> str:
    """A file for the ticket."""
    answer = await send(intake, content or photo(), name, **ticket)
    assert answer.status_code == 201, answer.text
    file_id: str = answer.json()["file_id"]
    return file_id


async def add(intake: FilingIntake, ticket: Ticket, *file_ids: str, key: str | None = None) -> httpx.Response:
    headers = {"X-Query-Code": ticket["code"], **({"Idempotency-Key": key} if key else {})}
    body = {"text": "见照片。", "files": list(file_ids)}
    return await intake.http.post(f"/inquiries/{ticket['inquiry_id']}/additions", json=body, headers=headers)


async def add_on_page(
    intake: FilingIntake, ticket: Ticket, *files: tuple[str, bytes], kept: tuple[str, ...] = (), **typed: str
) -> httpx.Response:
    """Send the form on the page of the ticket as a browser does."""
    fields: dict[str, Any] = {**ticket, "key": "k", "text": "见照片。", **typed, "files": list(kept)}
    parts = [("file", (name, content, "application/octet-stream")) for name, content in files]
    return await intake.http.post("/status/addition?lang=en", data=fields, files=parts or {"file": ("", b"")})


async def additions(intake: FilingIntake) -> list[Any]:
    return [one for one in await intake.entries() if "text" in one]


async def unused_after_a_day(intake: FilingIntake) -> int:
    later = timestamps.now() + UNUSED_FOR + timedelta(minutes=1)
    return await intake.files.references.remove_unused(later, intake.files._accepted, intake.files_store)


async def test_an_addition_names_files_that_were_sent_for_its_ticket(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    file_id = await sent(intake, ticket, name="三号楼.jpg")
    assert (await add(intake, ticket, file_id, file_id)).status_code == 202
    assert [one["files"] for one in await additions(intake)] == [[file_id]]
    [file] = await shown(intake, ticket)
    assert (file["file_id"], file["name"]) == (file_id, "三号楼.jpg")
    assert (await intake.http.get(file["link"])).status_code == 200
    answer = await intake.http.get(f"/inquiries/{ticket['inquiry_id']}", headers={"X-Query-Code": ticket["code"]})
    assert [one["files"] for one in answer.json()["additions"]] == [[file_id]]
    assert await unused_after_a_day(intake) == 0


async def test_an_addition_without_files_is_stored_as_before(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    assert (await add(intake, ticket)).status_code == 202
    assert ["files" in one for one in await additions(intake)] == [False]


async def test_the_page_of_the_ticket_takes_files(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    page = await intake.http.get("/status", params={"ticket": ticket["inquiry_id"], "code": ticket["code"]})
    assert ('enctype="multipart/form-data"' in page.text, 'type="file"' in page.text) == (True, True)
    for _ in range(2):
        answer = await add_on_page(intake, ticket, ("路灯.jpg", photo()))
        assert (answer.status_code, "路灯.jpg" in answer.text) == (200, True)
    assert len(await additions(intake)) == 1, "the same form sent twice makes one addition"
    [file] = await shown(intake, ticket)
    served = await intake.http.get(file["link"])
    assert [secret for secret in SECRETS if secret in served.content] == []


async def test_files_stay_with_a_form_that_comes_back(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    answer = await add_on_page(intake, ticket, ("good.jpg", photo()), ("bad.jpg", b"PK\x03\x04"))
    assert (answer.status_code, "bad.jpg" in answer.text, "见照片。" in answer.text) == (422, True, True)
    [kept] = FILE_ID.findall(answer.text)
    answer = await add_on_page(intake, ticket, kept=(kept,), text=" ")
    assert (answer.status_code, FILE_ID.findall(answer.text)) == (422, [kept])
    assert await additions(intake) == []
    assert (await add_on_page(intake, ticket, kept=(kept,))).status_code == 200
    assert [one["file_id"] for one in await shown(intake, ticket)] == [kept]


async def test_a_repeat_makes_one_addition_and_another_body_is_refused(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    first, second = await sent(intake, ticket), await sent(intake, ticket, photo(size=(90, 40)))
    key = "an idempotency key"
    answers = [await add(intake, ticket, first, key=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    problem(await add(intake, ticket, second, key=key), 422)
    assert [one["files"] for one in await additions(intake)] == [[first]]


async def test_a_file_belongs_to_one_ticket(intake: FilingIntake) -> None:
    ours, theirs = [await ticket_of(intake, await intake.send_form(subject=name)) for name in ("Ours", "Theirs")]
    file_id = await sent(intake, theirs)
    for given in ((file_id,), ("0" * 32,)):
        refused = problem(await add(intake, ours, *given), 422)
        assert [one["pointer"] for one in refused["errors"]] == ["/files/0"]
    assert (await intake.send_form(kept=(file_id,), subject="A third one")).status_code == 422
    assert (await add(intake, theirs, file_id)).status_code == 202
    problem(await add(intake, ours, file_id), 422)
    answer = await add_on_page(intake, ours, kept=(file_id,))
    assert (answer.status_code, "Please choose your files again." in answer.text) == (422, True)


async def test_all_inputs_of_a_ticket_have_at_most_twenty_files(intake: FilingIntake) -> None:
    content = photo()
    ticket = await ticket_of(intake, await intake.send_form(*[("a.jpg", content)] * 5))
    for _ in range(2):
        assert (await add_on_page(intake, ticket, *[("a.jpg", content)] * 5)).status_code == 200
    for number in range(2, 4):
        answer = await add_on_page(intake, ticket, *[(f"{number}.jpg", content)] * 5, key=f"k{number}")
        assert answer.status_code == 200
    assert len(await shown(intake, ticket)) == 20
    answer = await add_on_page(intake, ticket, ("21.jpg", content), key="k5")
    assert (answer.status_code, "at most 20 files" in answer.text) == (422, True)
    problem(await send(intake, content, **ticket), 422)
    assert len(await shown(intake, ticket)) == 20


async def test_nothing_is_claimed_for_a_ticket_that_has_ended(
    intake: FilingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    file_id = await sent(intake, ticket)
    monkeypatch.setattr("services.intake.domain.takes_additions", lambda *_: False)
    problem(await add(intake, ticket, file_id), 409)
    assert (await intake.files.references.of([file_id]))[file_id]["holder"] is None


@pytest.mark.parametrize("killed_at", ["claim", "accept"])
async def test_a_kill_before_the_addition_is_stored_can_be_repeated(
    intake: FilingIntake, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    file_id = await sent(intake, ticket)
    where = intake.files.references if killed_at == "claim" else intake.ledger
    original = getattr(where, killed_at)

    async def killed(*args: Any) -> None:
        if killed_at == "claim":
            await original(*args)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(where, killed_at, killed)
        with pytest.raises(SystemExit):
            await add(intake, ticket, file_id, key="an idempotency key")
    assert (await add(intake, ticket, file_id, key="an idempotency key")).status_code == 202
    assert [one["file_id"] for one in await shown(intake, ticket)] == [file_id]


async def test_an_erasure_during_an_addition_leaves_no_file(
    intake: FilingIntake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    answer = await add_on_page(intake, ticket, ("张三.jpg", photo()), text=" ")
    [kept] = FILE_ID.findall(answer.text)
    accept = intake.ledger.accept

    async def after_the_erasure(given: Entry) -> Any:
        await erase(intake.store, intake.ledger, ticket["inquiry_id"], 9, intake.files)
        return await accept(given)

    monkeypatch.setattr(intake.ledger, "accept", after_the_erasure)
    problem(await add(intake, ticket, kept), 404)
    assert [one for one in intake.stored() if one.is_file()] == []
    assert [one for one in ("张三", kept) if one in await everything_in(database)] == []


async def test_a_process_that_is_killed_after_the_erasure_leaves_no_file_for_long(
    intake: FilingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    answer = await add_on_page(intake, ticket, ("张三.jpg", photo()), text=" ")
    [kept] = FILE_ID.findall(answer.text)
    claim = intake.files.references.claim

    async def after_the_erasure(*given: Any) -> bool:
        references = intake.files.references
        monkeypatch.setattr(references, "claim", claim)
        # The file is not the ticket's yet, so the erasure does not see it.
        await erase(intake.store, intake.ledger, ticket["inquiry_id"], 9, intake.files)
        return await claim(*given)

    monkeypatch.setattr(intake.files.references, "claim", after_the_erasure)
    problem(await add(intake, ticket, kept), 404)
    assert await unused_after_a_day(intake) == 1
    assert [one for one in intake.stored() if one.is_file()] == []


async def test_no_file_comes_to_an_erased_ticket(intake: FilingIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    take = intake.files.uploads.take

    async def meanwhile(*given: Any) -> Any:
        await erase(intake.store, intake.ledger, ticket["inquiry_id"], 9, intake.files)
        return await take(*given)

    monkeypatch.setattr(intake.files.uploads, "take", meanwhile)
    problem(await send(intake, photo(), **ticket), 404)
    assert [one for one in intake.stored() if one.is_file()] == []
