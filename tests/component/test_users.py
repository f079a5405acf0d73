"""Staff users over HTTP, on a real store: tokens, disabling, rotation of the token file, the audit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.stores.city_revisions import CityRevisions
from services.router.users import api
from services.router.users.accounts import StaffAccounts
from services.router.users.audit import UserAudit
from services.router.users.guard import StaffGuard
from services.router.users.store import USE_NOTED_EVERY, Users
from services.router.users.tokens import FORM, hash_of, new_token
from shared.city import retire
from shared.http import problems
from shared.http.identity import WRONG_TOKENS
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.builders import CITY
from tests.component.marks import everything, stored
from tests.component.test_desk import problem

FILE_TOKEN = b"the content of the operator's token file"


class Personnel:
    """The routes of users, and a client that acts as the user `operator`."""

    def __init__(self, database: Database, file_token: bytes = FILE_TOKEN) -> None:
        self.database = database
        self.users, self.audit = Users(database), UserAudit(database)
        self.accounts = StaffAccounts(self.users, self.audit, CityRevisions(database), file_token)
        app = FastAPI()
        problems.install(app)
        app.include_router(api.routes(self.accounts, StaffGuard(self.accounts.find)))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(
            transport=transport, base_url="http://desk.example", headers=as_(file_token.decode())
        )

    async def add(self, name: str, role: str = "coordinator", department: str | None = None) -> httpx.Response:
        return await self.http.post("/users", json={"name": name, "role": role, "department": department})

    async def token(self, name: str, role: str = "coordinator", department: str | None = None) -> str:
        answer = await self.add(name, role, department)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def works(self, token: str) -> bool:
        answer = await self.http.get("/me", headers=as_(token))
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200

    async def shown(self, name: str) -> Any:
        [found] = [one for one in (await self.http.get("/users")).json()["users"] if one["user"] == name]
        return found

    async def acts(self) -> list[tuple[str, str]]:
        """What the audit says about other users than the one of the file."""
        entries = (await self.http.get("/audit")).json()["entries"]
        return [(one["what"], one["name"]) for one in entries if one["by"] is not None]


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def personnel(database: Database) -> AsyncIterator[Personnel]:
    one = Personnel(database)
    await one.accounts.prepare()
    assert await one.accounts.revisions.add(CITY)
    async with one.http:
        yield one


# ── adding ───────────────────────────────────────────────────────────────────


async def test_a_new_user_gets_a_token_that_works(personnel: Personnel) -> None:
    made = (await personnel.add("lin", "clerk", "lighting")).json()
    assert set(made) == {"user", "role", "department", "token"}
    assert (made["user"], made["role"], made["department"]) == ("lin", "clerk", "lighting")
    me = (await personnel.http.get("/me", headers=as_(made["token"]))).json()
    assert {name: me[name] for name in ("user", "role", "department")} == {
        "user": "lin",
        "role": "clerk",
        "department": "lighting",
    }
    assert 100_000_000 <= me["number"] < 1_000_000_000


async def test_no_document_contains_a_token(personnel: Personnel) -> None:
    tokens = [await personnel.token("lin", "clerk", "lighting"), await personnel.token("luo"), FILE_TOKEN.decode()]
    for token in tokens:
        assert await personnel.works(token)
    documents = everything(await stored({"router": personnel.database}))
    assert [one for one in tokens if one.encode() in documents] == []
    assert all(hash_of(one.encode()).encode() in documents for one in tokens)


async def test_answers_after_the_first_contain_no_token_and_no_hash(personnel: Personnel) -> None:
    token = await personnel.token("lin", "clerk", "lighting")
    for path in ("/users", "/audit", "/me"):
        text = (await personnel.http.get(path)).text
        assert token not in text
        assert hash_of(token.encode())[:16] not in text


@pytest.mark.parametrize("name", ["lin", "LIN", "ｌｉｎ", "operator", "Operator"])
async def test_an_existing_name_is_409(personnel: Personnel, name: str) -> None:
    await personnel.token("lin")
    before = await personnel.acts()
    problem(await personnel.add(name), 409)
    assert await personnel.acts() == before


@pytest.mark.parametrize("name", ["li.wei", "王工", "a1", "Li_Wei-2@city.example", "Zoë", "李" * 64])
async def test_names_have_letters_of_any_script(personnel: Personnel, name: str) -> None:
    assert await personnel.works(await personnel.token(name))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "lin"},
        {"role": "clerk"},
        {"name": "lin", "role": "mayor"},
        {"name": "lin", "role": "clerk"},
        {"name": "lin", "role": "clerk", "department": "ghosts"},
        {"name": "lin", "role": "clerk", "department": ""},
        {"name": "lin", "role": "coordinator", "department": "lighting"},
        {"name": "lin", "role": "approver", "department": "ghosts"},
        {"name": "lin", "role": "auditor", "number": 1},
        *({"name": name, "role": "auditor"} for name in ("", "x", " lin", "li n", ".lin", "a/b", "a\x00", "a\u200bb")),
        *({"name": name, "role": "auditor"} for name in ("\u3164\u3164", "a\u202eb", "x" * 65, "a\nb", "a%2f")),
        {"name": 7, "role": "auditor"},
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_an_invalid_user_is_422_and_changes_nothing(personnel: Personnel, body: dict[str, Any]) -> None:
    problem(await personnel.http.post("/users", json=body), 422)
    assert await personnel.users.users.count_documents({}) == 1
    assert await personnel.acts() == []


async def test_repeated_keys_and_broken_json_are_422(personnel: Personnel) -> None:
    surrogate = b'{"name":"\\ud800b","role":"auditor"}'
    for content in (
        b'{"name":"lin","role":"auditor","role":"operator"}',
        surrogate,
        b"",
        b"[",
        b"\xff",
        b"[" * 100_000,
    ):
        problem(await personnel.http.post("/users", content=content), 422)


async def test_a_retired_department_gets_no_new_clerk(personnel: Personnel) -> None:
    retired = retire(CITY, "lighting", "并入水务局").model_copy(update={"revision": 2})
    assert await personnel.accounts.revisions.add(retired)
    assert "not an active department" in problem(await personnel.add("lin", "clerk", "lighting"), 422)["detail"]


async def test_without_a_city_there_are_no_clerks_but_other_users(database: Database) -> None:
    one = Personnel(database)
    async with one.http:
        problem(await one.add("lin", "clerk", "lighting"), 422)
        assert await one.works(await one.token("li", "operator"))


@pytest.mark.parametrize("department", [None, "water"])
async def test_an_approver_may_have_a_department(personnel: Personnel, department: str | None) -> None:
    token = await personnel.token("shui", "approver", department)
    assert (await personnel.http.get("/me", headers=as_(token))).json()["department"] == department


async def test_of_ten_requests_for_one_name_one_succeeds(personnel: Personnel) -> None:
    answers = await asyncio.gather(*(personnel.add("lin") for _ in range(10)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 9
    assert await personnel.users.users.count_documents({"key": "lin"}) == 1


# ── disabling and revoking ───────────────────────────────────────────────────


async def test_a_disabled_user_is_out_at_once(personnel: Personnel) -> None:
    token = await personnel.token("lin", "clerk", "lighting")
    assert (await personnel.http.post("/users/LIN/disable")).json()["disabled"] is True
    assert not await personnel.works(token)
    assert (await personnel.http.post("/users/lin/disable")).status_code == 200
    problem(await personnel.http.post("/users/lin/tokens"), 409)
    assert await personnel.acts() == [("user-added", "lin"), ("token-added", "lin"), ("user-disabled", "lin")]


async def test_a_user_has_several_tokens_and_one_can_be_revoked(personnel: Personnel) -> None:
    first = await personnel.token("lin", "clerk", "lighting")
    second = (await personnel.http.post("/users/lin/tokens")).json()["token"]
    id_ = (await personnel.shown("lin"))["tokens"][0]["token_id"]
    for _ in range(2):
        answer = await personnel.http.delete(f"/users/lin/tokens/{id_}")
        assert [one["revoked_at"] is None for one in answer.json()["tokens"]] == [False, True]
    assert [await personnel.works(one) for one in (first, second)] == [False, True]
    assert await personnel.acts() == [
        ("user-added", "lin"),
        ("token-added", "lin"),
        ("token-added", "lin"),
        ("token-revoked", "lin"),
    ]


async def test_unknown_users_and_tokens_are_404(personnel: Personnel) -> None:
    await personnel.token("lin")
    await personnel.token("luo")
    of_luo = (await personnel.shown("luo"))["tokens"][0]["token_id"]
    problem(await personnel.http.post("/users/nobody/disable"), 404)
    problem(await personnel.http.post("/users/nobody/tokens"), 404)
    for path in ("/users/nobody/tokens/x", "/users/lin/tokens/x", f"/users/lin/tokens/{of_luo}"):
        problem(await personnel.http.delete(path), 404)


async def test_the_user_of_the_token_file_cannot_be_locked_out(personnel: Personnel) -> None:
    problem(await personnel.http.post("/users/operator/disable"), 409)
    [token] = (await personnel.shown("operator"))["tokens"]
    problem(await personnel.http.delete(f"/users/operator/tokens/{token['token_id']}"), 409)
    assert await personnel.works(FILE_TOKEN.decode())
    extra = (await personnel.http.post("/users/operator/tokens")).json()["token"]
    id_ = (await personnel.shown("operator"))["tokens"][1]["token_id"]
    assert (await personnel.http.delete(f"/users/operator/tokens/{id_}")).status_code == 200
    assert not await personnel.works(extra)


# ── the token file ───────────────────────────────────────────────────────────


async def test_many_starts_make_one_operator(database: Database) -> None:
    """Also when a request with the token of the file arrives before a start has finished."""
    one, starting = Personnel(database), [Personnel(database) for _ in range(5)]
    async with one.http:
        requests = [one.works(FILE_TOKEN.decode()) for _ in range(5)]
        await asyncio.gather(*requests, *(each.accounts.prepare() for each in starting))
        entries = (await one.http.get("/audit")).json()["entries"]
        assert sorted(entry["what"] for entry in entries) == ["token-added", "user-added"]
        assert [entry["by"] for entry in entries] == [None, None]
        assert len((await one.shown("operator"))["tokens"]) == 1


async def test_the_file_works_before_the_preparations_and_after_the_store_was_emptied(database: Database) -> None:
    one = Personnel(database)
    async with one.http:
        assert await one.works(FILE_TOKEN.decode())
        for collection in (one.users.users, one.users.tokens):
            await collection.delete_many({})
        assert await one.works(FILE_TOKEN.decode())


async def test_rotating_the_file_replaces_its_token_and_nothing_else(personnel: Personnel) -> None:
    number = (await personnel.shown("operator"))["number"]
    token = await personnel.token("lin")
    extra = (await personnel.http.post("/users/operator/tokens")).json()["token"]
    rotated = Personnel(personnel.database, b"the new content of the operator's token file")
    await rotated.accounts.prepare()
    async with rotated.http:
        assert (await rotated.shown("operator"))["number"] == number
        assert [await rotated.works(one) for one in (FILE_TOKEN.decode(), token, extra)] == [False, True, True]
    back = Personnel(personnel.database)
    async with back.http:
        assert await back.works(FILE_TOKEN.decode()), "before its preparations"
    assert not await rotated.users.user_of(hash_of(b"the new content of the operator's token file"), timestamps.now())


async def test_a_file_with_the_token_of_somebody_else_gives_no_other_rights(personnel: Personnel) -> None:
    token = await personnel.token("lin", "clerk", "lighting")
    [found] = (await personnel.shown("lin"))["tokens"]
    await personnel.http.delete(f"/users/lin/tokens/{found['token_id']}")
    other = Personnel(personnel.database, token.encode())
    await other.accounts.prepare()
    async with other.http:
        problem(await other.http.get("/users"), 401)


# ── use ──────────────────────────────────────────────────────────────────────


async def test_the_last_use_is_noted_at_most_once_a_minute(personnel: Personnel) -> None:
    token = await personnel.token("lin")
    assert (await personnel.shown("lin"))["tokens"][0]["last_used_at"] is None
    hashed, at = hash_of(token.encode()), timestamps.now().replace(microsecond=0)
    for passed, noted in ((timedelta(), at), (USE_NOTED_EVERY - timedelta(seconds=1), at), (USE_NOTED_EVERY, None)):
        assert await personnel.users.user_of(hashed, at + passed) is not None
        stored_at = (await personnel.users.tokens.find_one({"_id": hashed}) or {})["used_at"]
        assert stored_at == (noted or at + USE_NOTED_EVERY)


async def test_a_text_without_the_form_of_a_token_is_not_looked_up(personnel: Personnel) -> None:
    asked: list[str] = []
    look_up = personnel.users.user_of

    async def counted(token_hash: str, now: Any) -> Any:
        asked.append(token_hash)
        return await look_up(token_hash, now)

    personnel.users.user_of = counted  # type: ignore[method-assign]
    for token in ("x", "chorus_", new_token() + "x", new_token()[:-1], FILE_TOKEN.decode() + "x"):
        assert not await personnel.works(token)
    assert asked == []
    assert not await personnel.works(new_token())
    assert len(asked) == 1


async def test_wrong_tokens_are_limited_and_the_right_one_still_works(personnel: Personnel) -> None:
    statuses = []
    for _ in range(WRONG_TOKENS + 2):
        statuses.append((await personnel.http.get("/me", headers=as_(new_token()))).status_code)
    assert statuses == [401] * WRONG_TOKENS + [429] * 2
    assert await personnel.works(FILE_TOKEN.decode())


async def test_requests_without_a_token_are_401_with_a_sentence(personnel: Personnel) -> None:
    for value in ("", "Bearer", f"Basic {FILE_TOKEN.decode()}", FILE_TOKEN.decode(), "Bearer 路灯"):
        answer = await personnel.http.get("/me", headers={b"Authorization": value.encode()})
        assert "needs the token of a staff user" in problem(answer, 401)["detail"]


def test_tokens_have_256_random_bits_and_a_prefix() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(FORM.fullmatch(one.encode()) and len(one) == len("chorus_") + 43 for one in made)


# ── the audit ────────────────────────────────────────────────────────────────


async def test_the_audit_has_every_act_in_dense_numbers(personnel: Personnel) -> None:
    await asyncio.gather(*(personnel.token(f"user{number}") for number in range(10)))
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = (await personnel.http.get("/audit", params={"after": after, "limit": 7})).json()
        seen += [one["n"] for one in page["entries"]]
        after = page["next"]
    assert seen == list(range(1, 23))
    last = (await personnel.http.get("/audit", params={"after": 20})).json()["entries"][0]
    assert (last["by"]["name"], last["at"][:2], last["role"]) == ("operator", "20", "coordinator")


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30])
async def test_an_invalid_position_in_the_audit_is_422(personnel: Personnel, after: str) -> None:
    problem(await personnel.http.get("/audit", params={"after": after}), 422)


async def test_a_position_that_the_audit_does_not_have_is_404(personnel: Personnel) -> None:
    newest = (await personnel.http.get("/audit")).json()["entries"][-1]["n"]
    assert (await personnel.http.get("/audit", params={"after": newest})).json() == {"entries": [], "next": None}
    detail = problem(await personnel.http.get("/audit", params={"after": newest + 1}), 404)["detail"]
    assert detail == f"There is no place '{newest + 1}' in this list; start without `after`."


async def test_auditors_read_the_audit_and_change_nothing(personnel: Personnel) -> None:
    token = as_(await personnel.token("shen", "auditor"))
    assert (await personnel.http.get("/audit", headers=token)).status_code == 200
    for method, path in (("GET", "/users"), ("POST", "/users"), ("POST", "/users/shen/disable")):
        detail = problem(await personnel.http.request(method, path, headers=token, json={}), 403)["detail"]
        assert detail == "The role 'auditor' may not list and change users and tokens; allowed roles: operator."


async def test_a_clerk_makes_no_token_not_even_an_own_one(personnel: Personnel) -> None:
    token = as_(await personnel.token("lin", "clerk", "lighting"))
    for method, path in (("POST", "/users/lin/tokens"), ("GET", "/audit"), ("DELETE", "/users/lin/tokens/x")):
        problem(await personnel.http.request(method, path, headers=token), 403)
