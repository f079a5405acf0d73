"""The scoreboard in a real browser: sorted without scripts, by keyboard, and usable on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from services.scorer import views
from services.scorer.sorting import COLUMNS, Sorted
from shared.city import Name
from shared.runtime.languages import Lang
from shared.web.static_files import static_files
from tests.browser.chromium import NEEDS_CHROMIUM, served
from tests.browser.test_pages import BOARD, NOVEMBER, ROW, SITE

pytestmark = NEEDS_CHROMIUM
ENTER, TAB = "\ue007", "\ue004"
NAMES = {"zh": ("水务局", "城管局", "路灯所"), "en": ("Water", "Urban Management", "Lamps")}
ASSIGNED = (7, 1700, 30)
ROWS = [
    ROW.model_copy(update={"name": Name(zh=zh, en=en), "volume": ROW.volume.model_copy(update={"assigned": number})})
    for zh, en, number in zip(NAMES["zh"], NAMES["en"], ASSIGNED, strict=True)
]
PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1200, "height": 800, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = FastAPI()
    app.mount("/static", static_files())

    @app.get("/scoreboard")
    def page(lang: Lang, sort: str | None = None, order: str | None = None) -> HTMLResponse:
        by = Sorted.requested(sort, order)
        board = BOARD.model_copy(update={"departments": by.rows(ROWS, lang)})
        return views.scoreboard(lang, board, NOVEMBER, ("2026-10", None), by, SITE)

    with served(app) as at:
        yield at


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def screen(request: pytest.FixtureRequest, browser: Any) -> dict[str, Any]:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", request.param)
    chosen: dict[str, Any] = request.param
    return chosen


def names(browser: Any) -> list[str]:
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('tbody th')].map(one => one.innerText.trim())"
    )
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.usefixtures("screen")
def test_a_column_is_sorted_by_its_heading_and_again_the_other_way(browser: Any, address: str, lang: Lang) -> None:
    browser.get(f"{address}/scoreboard?lang={lang}")
    water, urban, lamps = NAMES[lang]
    assert names(browser) == [water, urban, lamps]
    for order, expected in (("descending", [urban, lamps, water]), ("ascending", [water, lamps, urban])):
        browser.find_element("css selector", "thead th:nth-child(2) a").send_keys(ENTER)
        assert names(browser) == expected
        [heading] = browser.find_elements("css selector", "[aria-sort]")
        assert heading.get_attribute("aria-sort") == order
    assert f"lang={lang}" in browser.current_url
    assert "period=2026-11" in browser.current_url
    browser.find_element("css selector", "#each + p a").send_keys(ENTER)
    assert names(browser) == [water, urban, lamps]


@pytest.mark.usefixtures("screen")
def test_every_heading_can_be_reached_by_keyboard(browser: Any, address: str) -> None:
    browser.get(f"{address}/scoreboard?lang=en")
    seen = set()
    for _ in range(60):
        browser.switch_to.active_element.send_keys(TAB)
        link = browser.switch_to.active_element
        if link.get_attribute("href") and "sort=" in link.get_attribute("href"):
            assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
            assert link.rect["height"] >= 24
            seen.add(link.get_attribute("href").partition("sort=")[2].partition("&")[0])
    assert seen == {"department", *COLUMNS}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_on_a_phone_nothing_is_beside_the_screen(browser: Any, address: str, lang: Lang) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(f"{address}/scoreboard?lang={lang}")
    beside = browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(one => one.checkVisibility() &&"
        " !one.matches('.skip, .unseen') && one.getBoundingClientRect().right > innerWidth + 1)"
        ".map(one => one.outerHTML.slice(0, 80))"
    )
    assert beside == []
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    table = browser.find_element("css selector", ".cards")
    assert browser.execute_script("return arguments[0].scrollWidth <= arguments[0].clientWidth", table)
    cell = browser.find_element("css selector", "tbody td")
    label = browser.execute_script("return getComputedStyle(arguments[0], '::before').content", cell)
    assert label == {"zh": '"分办件"', "en": '"Parts"'}[lang]


def test_on_paper_and_on_a_desk_the_table_stays_a_table(browser: Any, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    browser.get(f"{address}/scoreboard?lang=zh")
    assert browser.execute_script("return getComputedStyle(document.querySelector('tbody td')).display") == "table-cell"
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
