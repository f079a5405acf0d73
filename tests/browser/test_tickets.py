"""A resident's way with the keyboard alone, on a telephone's screen and without scripts: link, rating, lost code."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI

from services.intake import ticket_pages, views
from services.intake.domain import RatingGiven
from services.intake.links import Links
from services.intake.responses import RatingShown, Ticket
from services.intake.sentences import NO_SUCH_TICKET
from services.intake.submissions import Submissions
from services.intake.tickets import Acknowledged, Tickets
from shared.contracts import ids
from shared.http import problems
from shared.http.problems import Problem
from shared.runtime.languages import Lang
from shared.runtime.settings import DEFAULT_ZONE
from shared.web.static_files import static_files
from tests.browser.chromium import NEEDS_CHROMIUM, eventually, served
from tests.browser.test_pages import PICTURE, SITE

pytestmark = NEEDS_CHROMIUM
CODE = "7XK2M9QP4TWC"
TAB, ENTER, SPACE = "\ue004", "\ue007", " "
SELECT_ALL = "\ue009a"
ANSWERED = PICTURE.model_copy(update={"subject": "路灯坏了", "timeline": PICTURE.timeline[:1]})


class OneTicket(Tickets):
    """One answered ticket in memory."""

    def __init__(self) -> None:
        self.seen, self.files = ANSWERED, None

    async def ticket(self, inquiry_id: str, code: str | None, lang: Lang = "zh") -> Ticket:
        if ids.typed_inquiry_id(inquiry_id) != self.seen.inquiry_id or not ids.same_code(code or "", CODE):
            raise Problem(404, NO_SUCH_TICKET)
        return self.seen

    async def rate(self, inquiry_id: str, code: str | None, given: RatingGiven) -> Acknowledged:
        self.seen = self.seen.model_copy(update={"rated": [2], "ratings": [RatingShown(**given.model_dump())]})
        return Acknowledged(event_id="1")


class NoLimits(Links):
    """Takes every request and sends nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def request(self, typed: str, client: str) -> None:
        if ids.typed_inquiry_id(typed) is None:
            raise Problem(422, "Not a number.")
        self.asked.append(typed)


@pytest.fixture
def links() -> NoLimits:
    return NoLimits()


@pytest.fixture
def address(links: NoLimits) -> Iterator[str]:
    app = FastAPI()
    problems.install(app)
    app.mount("/static", static_files())
    submissions = cast(Submissions, SimpleNamespace(zone=DEFAULT_ZONE))

    @app.get("/written")
    def written(lang: Lang) -> Any:
        return views.thank_you(lang, ANSWERED.inquiry_id, CODE, 200, SITE)

    app.include_router(ticket_pages.routes(submissions, OneTicket(), links, SITE))
    with served(app) as at:
        yield at


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A telephone's screen, without scripts."""
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def go_to(phone: Any, name: str) -> None:
    """Press Tab until the control with this name, text or value has the focus."""
    for _ in range(40):
        phone.switch_to.active_element.send_keys(TAB)
        focused = phone.switch_to.active_element
        named = (focused.get_attribute("name"), focused.text, focused.get_attribute("id"))
        if name in named:
            assert focused.value_of_css_property("outline-style") == "solid"
            return
    raise AssertionError(f"Tab does not reach {name!r}")


def press(phone: Any, key: str) -> None:
    phone.switch_to.active_element.send_keys(key)


def heading(phone: Any) -> str:
    found: str = phone.find_element("tag name", "h1").text
    return found


def fits(phone: Any) -> bool:
    html = phone.find_element("tag name", "html")
    return int(html.get_property("scrollWidth")) <= 390


@pytest.mark.parametrize(("lang", "follow"), [("zh", "查询办理进度"), ("en", "Track your message")])
def test_after_writing_the_ticket_opens_without_the_code(phone: Any, address: str, lang: str, follow: str) -> None:
    phone.get(f"{address}/written?lang={lang}")
    go_to(phone, follow)
    press(phone, ENTER)
    eventually(phone, lambda: heading(phone) == "路灯坏了")
    assert phone.find_element("tag name", "html").get_attribute("lang")[:2] == lang
    assert CODE not in phone.title
    assert fits(phone)
    english = lang == "en"
    go_to(phone, "中文" if english else "English")
    press(phone, ENTER)
    eventually(phone, lambda: phone.find_element("tag name", "html").get_attribute("lang")[:2] != lang)
    assert heading(phone) == "路灯坏了"
    assert "code=" not in phone.current_url


def test_the_link_of_a_mail_opens_the_ticket_and_a_rating_shows_what_is_next(phone: Any, address: str) -> None:
    phone.get(f"{address}/status?ticket=20261122-7kx4mq2b&code={CODE.lower()}&lang=en")
    assert heading(phone) == "路灯坏了"
    go_to(phone, "solved")
    press(phone, SPACE)
    go_to(phone, "satisfied")
    press(phone, SPACE)
    go_to(phone, "Send rating")
    press(phone, ENTER)
    eventually(phone, lambda: "We have received your rating" in phone.page_source)
    assert "You need not do anything else." in phone.page_source
    assert fits(phone)


@pytest.mark.parametrize(
    ("lang", "lost", "send", "wrong", "sent"),
    [
        ("zh", "忘记查询码", "发送链接", "请填写编号，例如", "请查看邮箱"),
        ("en", "I have lost my query code", "Send me the link", "Enter the ticket number", "Check your mail"),
    ],
)
def test_a_lost_code_is_replaced_by_a_link(
    phone: Any, address: str, links: NoLimits, lang: str, lost: str, send: str, wrong: str, sent: str
) -> None:
    phone.get(f"{address}/status?lang={lang}")
    go_to(phone, lost)
    press(phone, ENTER)
    eventually(phone, lambda: "/status/link" in phone.current_url)
    go_to(phone, "inquiry_id")
    press(phone, "abc")
    go_to(phone, send)
    press(phone, ENTER)
    eventually(phone, lambda: wrong in phone.page_source)
    assert fits(phone)
    go_to(phone, "inquiry_id")
    assert phone.switch_to.active_element.get_attribute("aria-invalid") == "true"
    press(phone, SELECT_ALL)
    press(phone, "20261122 7kx4mq2b" + ENTER)
    eventually(phone, lambda: heading(phone) == sent)
    assert links.asked == ["20261122 7kx4mq2b"]
    assert fits(phone)
