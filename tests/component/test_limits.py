"""Rate limits over HTTP for messages, query codes and tokens; correct codes and tokens are never limited."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.intake import api, pages, ticket_pages
from services.intake.links import Links
from services.intake.reports import Reports
from services.intake.store import IntakeStore
from services.intake.submissions import Submissions
from services.intake.tickets import WRONG_CODES, Tickets
from services.intake.views import HERE as INTAKE
from shared.city import City
from shared.contracts import ids
from shared.http import problems
from shared.http.identity import WRONG_TOKENS, WRONG_TOKENS_PERIOD_S
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.component.conftest import in_background
from tests.component.staff import TOKEN
from tests.component.test_desk import Office, office, problem
from tests.fakes import MaskerInProcess

__all__ = ["office"]
SECRET = b"the secret of the query codes, 32+"
MOST = 3
LETTER = {"subject": "路灯不亮", "body": "门口的路灯坏了三天。"}
PROXY = "10.0.0.9"


class Intakes:
    """Several intake processes with one store, each behind a trusted proxy."""

    def __init__(self, database: Database, settings: Settings, processes: int) -> None:
        limited = settings.model_copy(update={"submissions_per_minute": MOST})
        self.ledgers = [Ledger(database, "ledger") for _ in range(processes)]
        self.apps = [self._app(database, ledger, limited) for ledger in self.ledgers]

    @staticmethod
    def _app(database: Database, ledger: Ledger, settings: Settings) -> FastAPI:
        city: CityFeed[City] = CityFeed(lambda revision: revision)
        submissions = Submissions(ledger, city, settings, SECRET)
        store = IntakeStore(database)
        tickets, links = Tickets(store, ledger, settings, SECRET), Links(store, ledger, settings)
        reports = Reports(store, ledger, settings)
        app = FastAPI()
        problems.install(app)
        app.include_router(api.routes(submissions, tickets, links, reports, TOKEN))
        app.include_router(pages.routes(submissions, MaskerInProcess(), INTAKE))
        app.include_router(ticket_pages.routes(submissions, tickets, links, INTAKE))
        return app

    def http(self, process: int = 0, peer: str = "203.0.113.7") -> httpx.AsyncClient:
        """A client whose connection comes from `peer`."""
        served = ProxyHeadersMiddleware(self.apps[process], PROXY)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(served, raise_app_exceptions=False, client=(peer, 4711))  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://intake.example")


@pytest.fixture
async def intakes(database: Database, settings: Settings) -> AsyncIterator[Intakes]:
    city = Intakes(database, settings, processes=2)
    async with AsyncExitStack() as stack:
        for ledger in city.ledgers:
            await ledger.prepare()
            await stack.enter_async_context(in_background(ledger.write_groups))
        yield city


async def written(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await http.post("/inquiries", json=LETTER, headers=headers)


async def test_a_client_over_the_limit_gets_retry_after(intakes: Intakes) -> None:
    http = intakes.http()
    assert [(await written(http)).status_code for _ in range(MOST)] == [202] * MOST
    refused = await written(http)
    assert "send yours again in" in problem(refused, 429)["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await written(intakes.http(peer="203.0.113.8"))).status_code == 202


async def test_requests_with_the_token_are_not_limited(intakes: Intakes) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN.decode()}"}
    http = intakes.http()
    assert {(await written(http, **bearer)).status_code for _ in range(3 * MOST)} == {202}
    assert (await written(http)).status_code == 202


@pytest.mark.parametrize(("language", "words"), [("zh", "您填写的内容还在"), ("en", "What you wrote is still here")])
async def test_the_form_keeps_its_content_after_429(intakes: Intakes, language: str, words: str) -> None:
    http = intakes.http()
    for number in range(MOST):
        assert (await http.post("/", data=LETTER | {"key": f"{number}"})).status_code == 202
    refused = await http.post("/", params={"lang": language}, data=LETTER)
    assert (refused.status_code, refused.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert int(refused.headers["retry-after"]) > 0
    assert words in refused.text
    assert LETTER["body"] in refused.text


async def test_x_forwarded_for_of_untrusted_clients_is_ignored(intakes: Intakes) -> None:
    http = intakes.http()
    answers = [await written(http, **{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(MOST + 1)]
    assert [one.status_code for one in answers] == [202] * MOST + [429]


async def test_x_forwarded_for_of_a_trusted_proxy_is_the_client(intakes: Intakes) -> None:
    http = intakes.http(peer=PROXY)
    named = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(2 * MOST)]
    assert {(await written(http, **one)).status_code for one in named} == {202}
    lying = {"X-Forwarded-For": "192.0.2.1, 198.51.100.77"}
    assert [(await written(http, **lying)).status_code for _ in range(MOST + 1)] == [202] * MOST + [429]


async def test_guessing_codes_at_many_processes_does_not_lock_out_the_right_one(intakes: Intakes) -> None:
    receipt = (await written(intakes.http())).json()
    where, code = f"/inquiries/{receipt['inquiry_id']}", receipt["query_code"]
    seen = []
    for attempt in range(6 * WRONG_CODES):
        attacker = intakes.http(attempt % 2, peer=f"198.51.100.{attempt}")
        seen.append((await attacker.get(where, headers={"X-Query-Code": f"{attempt:012}"})).status_code)
        if attempt % WRONG_CODES == 0:
            for process in (0, 1):
                right = await intakes.http(process).get(where, headers={"X-Query-Code": code})
                assert right.status_code == 200
    # Each process counts separately, so the limit multiplies by the number of processes.
    assert seen.count(404) == 2 * WRONG_CODES
    assert set(seen) == {404, 429}
    page = await intakes.http().post("/status", data={"inquiry_id": receipt["inquiry_id"], "code": code})
    assert page.status_code == 200
    assert ids.query_code(SECRET, receipt["inquiry_id"]) == code


async def test_guessing_tokens_is_limited_and_the_right_one_always_works(office: Office) -> None:
    right = dict(office.http.headers)
    for attempt in range(2 * WRONG_TOKENS):
        answer = await office.http.get("/departments", headers={"Authorization": f"Bearer guess {attempt}"})
        problem(answer, 401 if attempt < WRONG_TOKENS else 429)
        assert (await office.http.get("/departments", headers=right)).status_code == 200
    assert 0 < int(answer.headers["retry-after"]) <= WRONG_TOKENS_PERIOD_S
    office.http.headers.pop("authorization")
    problem(await office.http.get("/departments"), 401)
