"""Texts of people in another language or direction: marked, isolated, and only where that is so."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi.responses import HTMLResponse

from services.notifier import views
from services.notifier.domain.hall import HallEntry
from shared.contracts.resident_messages import Paragraph
from shared.runtime.languages import Lang
from shared.web.text import isolated, isolated_where_needed, language_tag, without_bidi_controls
from tests.component.test_pages import Page

TURNED = "lamp\u202egnirts\u2066\u2069\u2069 dark"
ENTRY = HallEntry(
    inquiry_id="20261122-7KX4MQ2B",
    n=1,
    round=1,
    answered_at="2026-11-22T16:30:00Z",
    language="zh",
    subject="路灯不亮",
    body="三天了。",
    paragraphs=(Paragraph(department="roads", name="道路处", text="已修复。"),),
)
ENGLISH = replace(
    ENTRY,
    language="en",
    subject="The lamp is dark",
    body="For three days.",
    paragraphs=(Paragraph(department="roads", name="Roads", text="Mended."),),
)


@pytest.mark.parametrize(
    ("text", "declared", "tag"),
    [
        ("路灯不亮", "zh", "zh-CN"),
        ("路灯不亮", "en", "zh-CN"),
        ("The lamp is dark", "zh", "en"),
        ("请修一下 the street lamp", "zh", "zh-CN"),
        ("Please ask Mr. 王 about the street lamp in our lane", "en", "en"),
        ("110", "zh", "zh-CN"),
        ("110", "en", "en"),
        ("", "en", "en"),
        ("مصباح الشارع", "zh", ""),
        ("Уличный фонарь", "en", ""),
        ("＊＊＊", "zh", "zh-CN"),
        ("字" * 20_000, "en", "zh-CN"),
        ("The light at 人民路 is broken", "zh", "en"),
        ("请修 iPhone 充电桩", "en", "zh-CN"),
        ("见 https://city.example/a/b/c/d/e", "en", "zh-CN"),
        ("请回复 somebody.with.a.long.name@mail.example", "en", "zh-CN"),
        ("12345 — 🚦", "en", "en"),
    ],
)
def test_the_language_of_a_text_is_that_of_its_letters(text: str, declared: str, tag: str) -> None:
    assert language_tag(text, declared) == tag


@pytest.mark.parametrize("text", ["a", "路", "a.", "://", "@", "a'", "🚦", "a@", " "])
def test_the_language_of_the_longest_text_is_found_in_time(text: str) -> None:
    began_s = time.process_time()
    language_tag(text * 20_000, "zh")
    assert time.process_time() - began_s < 0.5


def test_an_isolate_is_closed_whatever_is_in_it() -> None:
    assert isolated(TURNED) == "\u2068lampgnirts dark\u2069"
    assert isolated("a\u2029b\n c") == "\u2068a b c\u2069"
    assert isolated_where_needed("plain 字") == "plain 字"
    assert without_bidi_controls("a\u200fb\u202dc") == "a\u200fbc"


@pytest.mark.parametrize(("entry", "own", "other", "tag"), [(ENTRY, "zh", "en", "zh-CN"), (ENGLISH, "en", "zh", "en")])
def test_every_text_of_an_entry_in_the_other_language_is_marked(
    entry: HallEntry, own: Lang, other: Lang, tag: str
) -> None:
    shown: list[Callable[[Lang], HTMLResponse]] = [
        lambda lang: views.hall(lang, [entry]),
        lambda lang: views.hall_entry(lang, entry),
    ]
    for render, texts in zip(
        shown, ({entry.subject, entry.body}, {entry.subject, entry.paragraphs[0].text}), strict=True
    ):
        texts.add(entry.paragraphs[0].name)
        page = Page(bytes(render(other).body).decode())
        marked = {one.text.strip(): one.attributes.get("lang") for one in page.all("bdi", "p")}
        assert {text: marked.get(text) for text in texts} == dict.fromkeys(texts, tag)
        page = Page(bytes(render(own).body).decode())
        assert not [one for one in page.all("bdi", "p") if "lang" in one.attributes]


def test_the_title_of_an_entry_is_isolated() -> None:
    page = Page(bytes(views.hall_entry("en", replace(ENTRY, subject=TURNED)).body).decode())
    assert next(page.all("title")).text == "\u2068lampgnirts dark\u2069 · Chorus"
    assert next(page.all("h1")).text == "lampgnirts dark"
