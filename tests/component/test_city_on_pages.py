"""Every page shows the city's name, telephone, emergency notice, scope and privacy, as the city in force has them."""

from collections.abc import Callable
from functools import cache

import pytest
from fastapi.responses import HTMLResponse

from services.intake import views as intake
from services.notifier import views as notifier
from services.scorer import views as scorer
from shared.city import City, Name
from shared.city.entries import Paragraphs
from shared.runtime.languages import Lang
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.service import Service
from shared.web import layout
from shared.web.layout import Site
from shared.web.topics_page import topics_page
from tests.builders import CITY
from tests.component.test_pages import BOARD, ENTRY, NOVEMBER, PICTURE, Page
from tests.contract.test_asyncapi import document_of

TEXTS = {
    "emergency": Paragraphs(zh="着火请打119", en="For a fire, call 119"),
    "scope": Paragraphs(zh="本市各部门的事", en="Matters of the city"),
    "privacy": Paragraphs(zh="只用于办理", en="Only to handle it"),
}
WHOLE = CITY.model_copy(update={"name": Name(zh="云汀市", en="Yunting"), "telephone": "(0731) 123-45", **TEXTS})
router_document = cache(lambda: document_of("router"))
GENERIC = {"zh": "遇紧急情况，请直接拨打 110", "en": "In an emergency, call 110"}
PAGES: dict[str, Callable[[Lang, Site], HTMLResponse]] = {
    "form": lambda lang, site: intake.write_in(lang, {}, {}, [], site=site),
    "preview": lambda lang, site: intake.preview(lang, "s", "b", {}, True, site),
    "thanks": lambda lang, site: intake.thank_you(lang, "20261122-7KX4MQ2B", "7XK2M9QP4TWC", site=site),
    "look-up": lambda lang, site: intake.ask_status(lang, {}, site=site),
    "status": lambda lang, site: intake.status(lang, PICTURE, "CODE", site=site),
    "hall": lambda lang, site: notifier.hall(lang, [ENTRY], site=site),
    "reply": lambda lang, site: notifier.hall_entry(lang, ENTRY, site=site),
    "scoreboard": lambda lang, site: scorer.scoreboard(lang, BOARD, NOVEMBER, ("2026-10", None), site=site),
    "topics": lambda lang, site: topics_page(lang, router_document(), site),
    "error": lambda lang, site: layout.problem(lang, 404, site=site),
}
EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
EVERY_LANGUAGE = pytest.mark.parametrize("lang", ["zh", "en"])


def source(name: str, lang: Lang, city: City | None) -> str:
    return bytes(PAGES[name](lang, Site(intake="", hall="", scoreboard="", city=lambda: city)).body).decode()


@EVERY_PAGE
@EVERY_LANGUAGE
def test_a_page_shows_the_city(name: str, lang: Lang) -> None:
    page = Page(source(name, lang, WHOLE))
    for text in (WHOLE.name, *TEXTS.values()):
        assert page.source.count(getattr(text, lang)) >= 1
        assert getattr(text, "en" if lang == "zh" else "zh") not in page.source.replace("Yunting", "")
    assert f"\u2068{getattr(WHOLE.name, lang)}\u2069" in next(page.all("title")).text
    [link] = [one for one in page.all("a") if (one.attributes["href"] or "").startswith("tel:")]
    assert (link.attributes["href"], link.text) == ("tel:073112345", "(0731) 123-45")


@EVERY_PAGE
@EVERY_LANGUAGE
def test_the_emergency_notice_comes_before_the_content(name: str, lang: Lang) -> None:
    for city, text in ((WHOLE, getattr(TEXTS["emergency"], lang)), (None, GENERIC[lang])):
        page = source(name, lang, city)
        assert page.count(text) == 1
        assert page.index(text) < page.index("<main")


@EVERY_PAGE
@EVERY_LANGUAGE
def test_scope_and_privacy_are_on_the_form_and_in_the_foot_of_other_pages(name: str, lang: Lang) -> None:
    page = Page(source(name, lang, WHOLE))
    details = [one.text for one in page.all("details") if "footer" in one.inside]
    for text in ("scope", "privacy"):
        assert page.source.count(getattr(TEXTS[text], lang)) == 1
        assert any(getattr(TEXTS[text], lang) in one for one in details) == (name != "form")


@EVERY_PAGE
@EVERY_LANGUAGE
def test_a_page_is_whole_without_a_city_and_without_its_optional_texts(name: str, lang: Lang) -> None:
    for city in (None, CITY):
        page = Page(source(name, lang, city))
        assert "None" not in page.source
        assert "tel:" not in page.source
        assert not [one for one in page.all("details") if "footer" in one.inside]
    assert GENERIC[lang] not in source(name, lang, CITY), "the city in force has chosen to show no notice"


def test_a_service_shows_the_city_in_force(settings: Settings) -> None:
    service = Service("scorer", settings)
    site, city = service.site, CityFeed[City](lambda revision: revision)

    def title() -> str:
        return next(Page(source_of(layout.problem("en", 404, site=site))).all("title")).text

    assert title() == "Page not found · Chorus"
    service.follows_city(city)
    assert title() == "Page not found · Chorus"
    for revision, name in enumerate(("Yunting", "New Yunting"), 1):
        city.use(WHOLE.model_copy(update={"revision": revision, "name": Name(zh="云汀", en=name)}))
        assert title() == f"Page not found · \u2068{name}\u2069 · Chorus"


def source_of(page: HTMLResponse) -> str:
    return bytes(page.body).decode()
