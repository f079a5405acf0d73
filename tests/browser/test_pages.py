"""The pages in a real browser: nothing runs off the side, every word has contrast, the keyboard reaches everything."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from services.intake import views as intake
from services.intake.responses import DepartmentShown, RatingShown, RoundShown, Ticket, TimelineEntry
from services.notifier import views as notifier
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import SUBJECTS
from services.scorer import views as scorer
from services.scorer.domain.ratings import RatingCounts
from services.scorer.responses import Clocks, DepartmentScores, Judged, PeriodBounds, Ratings, Scoreboard, Volume
from shared.city import Name
from shared.city.entries import Paragraphs
from shared.contracts.resident_messages import Paragraph, Reply
from shared.runtime.languages import LANGUAGES, Lang
from shared.web import layout
from shared.web.layout import Site
from shared.web.static_files import static_files
from shared.web.topics_page import topics_page
from tests.browser.chromium import NEEDS_CHROMIUM, served
from tests.builders import CITY
from tests.contract.test_asyncapi import document_of
from tests.mailing import a_delivery, html, resident_mail

pytestmark = NEEDS_CHROMIUM
LONG = "一个名字特别长特别长特别长特别长的联合管理委员会办公室"
UNBROKEN = "https://city.example/" + "a" * 150
NOTICE = Paragraphs(zh=f"{LONG}。{UNBROKEN}", en=f"Call 119 at once. {UNBROKEN}")
LONG_CITY = CITY.model_copy(
    update={
        "name": Name(zh=LONG, en="The United Municipality of Upper and Lower Something"),
        "telephone": "+86 (0731) 1234-5678-90 12 34",
        **dict.fromkeys(("emergency", "scope", "privacy"), NOTICE),
    }
)
SITE = Site(intake="", hall="", scoreboard="", city=lambda: LONG_CITY)
DEPARTMENTS = [(f"d{at}", name) for at, name in enumerate(("路灯管理处", "水务局", LONG) * 8)]
PARAGRAPHS = (Paragraph(department="water", name=LONG, text=f"已修复。\n\n{UNBROKEN}"),) * 3
PICTURE = Ticket(
    inquiry_id="20261122-7KX4MQ2B",
    subject=UNBROKEN,
    body=UNBROKEN,
    area=UNBROKEN[:100],
    public=True,
    confidential=False,
    language="zh",
    state="answered",
    round=2,
    departments=[
        DepartmentShown(code=f"d{at}", name=LONG, role="lead", state=state, due_at="2026-11-22T16:30:00Z")
        for at, state in enumerate(("offered", "accepted", "contributed", "returned", "withdrawn", "x" * 80))
    ],
    answer_due_at=None,
    rounds=[],
    questions=[],
    additions=[],
    can_add=False,
    timeline=[
        TimelineEntry(at="2026-11-22T01:12:16.123Z", text=f"已答复。\n{UNBROKEN}"),
        TimelineEntry(at="2026-11-22T02:00:00Z", text=UNBROKEN),
    ],
    reply=Reply(text="", paragraphs=PARAGRAPHS),
    rated=[],
    ratings=[],
)
RATING = RatingShown(round=2, solved=False, satisfied="no", words=UNBROKEN)
REOPENED = PICTURE.model_copy(
    update={
        "state": "reopened",
        "reply": None,
        "rounds": [
            RoundShown(round=1, answered_at="2026-11-22T16:30:00Z", reply=Reply(text="", paragraphs=PARAGRAPHS))
        ],
        "rated": [1],
        "ratings": [RATING.model_copy(update={"round": 1})],
    }
)
ENTRY = HallEntry(
    inquiry_id="20261122-7KX4MQ2B",
    n=1,
    round=1,
    answered_at="2026-11-22T16:30:00Z",
    language="zh",
    subject=UNBROKEN,
    body=UNBROKEN,
    paragraphs=PARAGRAPHS,
)
CLOCK = Judged(kept=1200, broken=31, open=400, share="0.9748")
NOTHING = Judged(kept=0, broken=0, open=3, share=None)
ROW = DepartmentScores(
    code="water",
    name=Name(zh=LONG, en="Joint Administration of Something With a Long Name"),
    volume=Volume(assigned=1700, answered=1300, released=1200),
    clocks=Clocks(accept=CLOCK, first_reply=CLOCK, resolve=NOTHING),
    ratings=Ratings.of(RatingCounts(valid=200, contacted=150, solved=100, satisfied=100)),
    returned=1,
    reopened=0,
    joint=10,
    ranked=False,
    rank=None,
)
NOVEMBER = {"period": "2026-11"}
BOARD = Scoreboard(
    period=PeriodBounds(from_="2026-10-31T16:00:00Z", to="2026-11-30T16:00:00Z", zone="Asia/Shanghai"),
    policy_id="sample",
    as_of="2026-11-22T09:00:00Z",
    departments=[ROW] * 8,
)
WRONG = {"subject": UNBROKEN, "email": "'x@' is no address", "departments": "unknown", "": "Something else"}
NEWS = {lang: [a_delivery(f"e{n}", what=what, language=lang) for n, what in enumerate(SUBJECTS)] for lang in LANGUAGES}
PAGES: dict[str, Callable[[Lang], HTMLResponse]] = {
    "write": lambda lang: intake.write_in(lang, {}, {}, DEPARTMENTS, site=SITE),
    "wrong": lambda lang: intake.write_in(lang, {"departments": ["d1"]}, WRONG, DEPARTMENTS, site=SITE),
    "preview": lambda lang: intake.preview(lang, LONG, UNBROKEN, {"subject": LONG, "body": UNBROKEN}, False, SITE),
    "thanks": lambda lang: intake.thank_you(lang, "20261122-7KX4MQ2B", "7XK2M9QP4TWC", site=SITE),
    "ask": lambda lang: intake.ask_status(lang, {}, UNBROKEN, site=SITE),
    "lost": lambda lang: intake.ask_link(lang, {"inquiry_id": "x"}, UNBROKEN, site=SITE),
    "requested": lambda lang: intake.link_requested(lang, 3, 5, site=SITE),
    "status": lambda lang: intake.status(lang, PICTURE, "7XK2M9QP4TWC", site=SITE),
    "waiting": lambda lang: intake.status(
        lang,
        PICTURE.model_copy(update={"state": "in-progress", "reply": None, "answer_due_at": "2026-11-22T16:30:00.000Z"}),
        "7XK2M9QP4TWC",
        site=SITE,
    ),
    "rated": lambda lang: intake.status(
        lang, PICTURE.model_copy(update={"rated": [2], "ratings": [RATING]}), "7XK2M9QP4TWC", site=SITE
    ),
    "reopened": lambda lang: intake.status(lang, REOPENED, "7XK2M9QP4TWC", site=SITE),
    "why": lambda lang: intake.status(
        lang,
        PICTURE,
        "7XK2M9QP4TWC",
        errors={"words": UNBROKEN},
        values={"solved": "false", "satisfied": "no"},
        site=SITE,
        asked=True,
    ),
    "hall": lambda lang: notifier.hall(lang, [ENTRY] * 3, "x", site=SITE),
    "nothing": lambda lang: notifier.hall(lang, [], site=SITE),
    "entry": lambda lang: notifier.hall_entry(lang, replace(ENTRY, round=2, earlier=(ENTRY.own_reply,)), site=SITE),
    "confirm": lambda lang: notifier.mail_page("confirm", lang, "x" * 80, True, False, SITE),
    "confirmed": lambda lang: notifier.mail_page("confirm", lang, "x" * 80, True, True, SITE),
    "invalid": lambda lang: notifier.mail_page("stop", lang, "x" * 80, False, False, SITE),
    "stop": lambda lang: notifier.mail_page("stop", lang, "x" * 80, True, False, SITE),
    "stopped": lambda lang: notifier.mail_page("stop", lang, "x" * 80, True, True, SITE),
    "mail": lambda lang: HTMLResponse(html(resident_mail(a_delivery(text=UNBROKEN, subject=UNBROKEN, language=lang)))),
    "digest": lambda lang: HTMLResponse(html(resident_mail(*NEWS[lang], whole=False))),
    "scoreboard": lambda lang: scorer.scoreboard(lang, BOARD, NOVEMBER, ("2026-10", "2026-12"), site=SITE),
    "topics": lambda lang: topics_page(lang, document_of("router"), SITE),
    "problem": lambda lang: layout.problem(lang, 503, UNBROKEN, site=SITE),
    "wrong-address": lambda lang: scorer.wrong_address(lang, "period", SITE),
}

# WCAG 2.2, 1.4.3: the text of every element against the nearest painted ground behind it.
FAINT = """
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                        return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                                      .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
const ground = one => { for (; one; one = one.parentElement) {
                          const found = rgb(getComputedStyle(one).backgroundColor); if (found[3] > 250) return found; }
                        return [255, 255, 255]; };
const said = one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
return [...document.querySelectorAll('body *')].filter(one => said(one) && one.checkVisibility()).map(one => {
  const [a, b] = [light(rgb(getComputedStyle(one).color)), light(ground(one))];
  return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 80)];
}).filter(([contrast]) => contrast < 4.5);
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the pages are served."""
    app = FastAPI()
    app.mount("/static", static_files())

    @app.get("/favicon.ico", status_code=204)
    def icon() -> None: ...  # A mail names no icon, so the browser asks for this one.

    @app.get("/{name}")
    def page(name: str, lang: Lang) -> HTMLResponse:
        response = PAGES[name](lang)
        response.status_code = 200
        return response

    with served(app) as at:
        yield at


def look(browser: Any, address: str, name: str, lang: str, width: int, scheme: str) -> None:
    """Open a page as a reader with this screen and these habits would."""
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    habits = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": habits})
    browser.get(f"{address}/{name}?lang={lang}")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_fits_its_screen_and_every_word_can_be_read(
    browser: Any, address: str, tmp_path: Path, name: str, lang: str
) -> None:
    for width, scheme in ((360, "light"), (1200, "dark")):
        look(browser, address, name, lang, width, scheme)
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert (
            browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true;" + FAINT)
            == []
        )
        assert browser.save_screenshot(str(tmp_path / f"{name}-{lang}-{width}-{scheme}.png"))
    assert [line["message"] for line in browser.get_log("browser")] == []


def test_the_first_key_offers_to_skip_to_the_content(browser: Any, address: str) -> None:
    look(browser, address, "write", "zh", 360, "light")
    browser.switch_to.active_element.send_keys("\ue004")
    skip = browser.switch_to.active_element
    assert skip.get_attribute("class") == "skip"
    assert skip.rect["y"] >= 0
    assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_control_is_large_enough_for_a_finger(browser: Any, address: str) -> None:
    for name in ("write", "status", "ask", "lost", "requested", "waiting", "rated", "confirm", "stop", "stopped"):
        look(browser, address, name, "zh", 360, "light")
        small = browser.execute_script(
            "return [...document.querySelectorAll('button, .button, summary, label.check, input[type=text], textarea')]"
            ".filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 24).map(one => one.outerHTML)"
        )
        assert small == []
