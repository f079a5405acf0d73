"""Every page in both languages with hostile values: escaped, well-formed, labelled, without scripts."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from httpx import ASGITransport, AsyncClient

from services.intake import views as intake
from services.intake.responses import DepartmentShown, RatingShown, RoundShown, Ticket, TimelineEntry, WithdrawalShown
from services.notifier import views as notifier
from services.notifier.domain.hall import HallEntry
from services.scorer import views as scorer
from services.scorer.domain.ratings import RatingCounts
from services.scorer.responses import Clocks, DepartmentScores, Judged, PeriodBounds, Ratings, Scoreboard, Volume
from services.scorer.sorting import Sorted
from shared.city import Name
from shared.city.entries import Paragraphs
from shared.contracts.erasure_dates import erasure_dates
from shared.contracts.resident_messages import Paragraph, Reply
from shared.runtime.languages import LANGUAGES, Lang
from shared.web import layout
from shared.web.layout import Site
from shared.web.static_files import static_files
from tests.builders import CITY

EVIL = "<script>alert('x')</script>\" onload=\"x\u202e{{ 7*7 }} &amp; \r\n第二行"
EVIL_CITY = CITY.model_copy(
    update={
        "name": Name.model_construct(zh=EVIL, en=EVIL),
        "telephone": "+86 (0731) 123-45",
        **{name: Paragraphs.model_construct(zh=EVIL, en=EVIL) for name in ("emergency", "scope", "privacy")},
    }
)
EVERYWHERE = Site("", "https://hall.city.example", "https://score.city.example", city=lambda: EVIL_CITY)
ISOLATED = frozenset(("bdi", "textarea", "title"))
VOID = frozenset(("meta", "link", "input", "br", "hr", "img"))
PICTURE = Ticket(
    inquiry_id="20261122-7KX4MQ2B",
    subject=EVIL,
    body=EVIL,
    area=EVIL,
    public=True,
    confidential=False,
    language="zh",
    state="answered",
    round=2,
    departments=[
        DepartmentShown(code="water", name=EVIL, role="lead", state="accepted", due_at="2026-11-22T16:30:00Z"),
        DepartmentShown(code="roads", name="道路处", role="co-handler", state=EVIL, due_at=None),
    ],
    answer_due_at=None,
    rounds=[],
    questions=[],
    additions=[],
    can_add=False,
    timeline=[
        TimelineEntry(at="2026-11-22T01:12:16.123Z", text=EVIL),
        TimelineEntry(at="2026-11-22T02:00:00Z", text="已受理。"),
    ],
    reply=Reply(
        text=EVIL, paragraphs=(Paragraph(department="water", name=EVIL, text=EVIL),), opening=EVIL, closing=EVIL
    ),
    rated=[],
    ratings=[],
)
WORKED_ON = PICTURE.model_copy(
    update={"state": "in-progress", "reply": None, "answer_due_at": "2026-11-22T16:30:00.000Z"}
)
BEING_WITHDRAWN = WORKED_ON.model_copy(update={"withdrawal": WithdrawalShown(at="2026-11-22T03:00:00.000Z", why=EVIL)})
ERASED = PICTURE.model_copy(
    update={
        "subject": "",
        "body": "",
        "area": None,
        "state": "erased",
        "departments": [],
        "reply": None,
        "erasure": erasure_dates(datetime(2026, 11, 23, tzinfo=UTC), 90, 30),
    }
)
CONTENT = RatingShown(round=2, solved=True, satisfied="mostly", words=EVIL)
REOPENED = WORKED_ON.model_copy(
    update={
        "state": "reopened",
        "rounds": [RoundShown(round=1, answered_at="2026-11-22T16:30:00.000Z", reply=PICTURE.reply)],
        "rated": [1],
        "ratings": [CONTENT.model_copy(update={"round": 1, "solved": False})],
    }
)
ENTRY = HallEntry(
    inquiry_id="20261122-7KX4MQ2B",
    n=1,
    round=1,
    answered_at="2026-11-22T16:30:00Z",
    language="zh",
    subject=EVIL,
    body=EVIL,
    paragraphs=(
        Paragraph(department="roads", name=EVIL, text=EVIL),
        Paragraph(department="water", name="水务局", text="已修。"),
    ),
    opening=EVIL,
    closing=EVIL,
)
TWO_ROUNDS = replace(ENTRY, round=2, earlier=(ENTRY.own_reply,))
CLOCK = Judged(kept=2, broken=1, open=4, share="0.6667")
NOTHING = Judged(kept=0, broken=0, open=0, share=None)
NOVEMBER = {"period": "2026-11"}
BOARD = Scoreboard(
    period=PeriodBounds(from_="2026-10-31T16:00:00Z", to="2026-11-30T16:00:00Z", zone="Asia/Shanghai"),
    policy_id=EVIL,
    as_of="2026-11-22T09:00:00Z",
    departments=[
        DepartmentScores(
            code="water",
            name=Name.model_construct(zh=EVIL, en=EVIL),
            volume=Volume(assigned=7, answered=3, released=2),
            clocks=Clocks(accept=CLOCK, first_reply=CLOCK, resolve=NOTHING),
            ratings=Ratings.of(RatingCounts(valid=2, contacted=1, solved=1, satisfied=1)),
            returned=1,
            reopened=0,
            joint=1,
            ranked=False,
            rank=None,
        )
    ],
)
FIELDS = dict.fromkeys(("subject", "body", "area", "name", "phone", "email"), EVIL)
DEPARTMENTS = [("water", EVIL), ("roads", "道路处")]

BEFORE_DUE = datetime(2026, 11, 22, 16, 29, tzinfo=UTC)
AFTER_DUE = datetime(2026, 11, 22, 16, 31, tzinfo=UTC)


def rated_as(rating: RatingShown) -> Ticket:
    return PICTURE.model_copy(update={"rated": [rating.round], "ratings": [rating]})


PAGES: dict[str, Callable[[Lang], HTMLResponse]] = {
    "write in": lambda lang: intake.write_in(lang, {}, {}, DEPARTMENTS, site=EVERYWHERE),
    "write in again": lambda lang: intake.write_in(
        lang,
        {**FIELDS, "departments": ["water"], "public": True},
        {**FIELDS, "departments": EVIL, "public": EVIL, "confidential": EVIL, "": EVIL},
        DEPARTMENTS,
        422,
    ),
    "preview": lambda lang: intake.preview(lang, EVIL, EVIL, {**FIELDS, "departments": ["water"]}, False, EVERYWHERE),
    "thank you": lambda lang: intake.thank_you(lang, "20261122-7KX4MQ2B", "7XK2M9QP4TWC"),
    "ask status": lambda lang: intake.ask_status(lang, {}),
    "ask status again": lambda lang: intake.ask_status(lang, {"inquiry_id": EVIL}, EVIL, 404),
    "ask link": lambda lang: intake.ask_link(lang, {}),
    "ask link again": lambda lang: intake.ask_link(lang, {"inquiry_id": EVIL}, EVIL, 422),
    "link requested": lambda lang: intake.link_requested(lang, 3, 5),
    "status": lambda lang: intake.status(lang, PICTURE, EVIL),
    "status, worked on": lambda lang: intake.status(lang, WORKED_ON, "CODE", now=BEFORE_DUE),
    "status, late": lambda lang: intake.status(lang, WORKED_ON, "CODE", now=AFTER_DUE),
    "status, later version": lambda lang: intake.status(lang, PICTURE.model_copy(update={"state": EVIL}), "CODE"),
    "status, new": lambda lang: intake.status(
        lang,
        PICTURE.model_copy(update={"state": "registered", "departments": [], "timeline": [], "reply": None}),
        "CODE",
    ),
    "status, rated": lambda lang: intake.status(lang, rated_as(CONTENT), "CODE"),
    "status, not solved": lambda lang: intake.status(
        lang, rated_as(CONTENT.model_copy(update={"solved": False, "words": None})), "CODE"
    ),
    "status, rating refused": lambda lang: intake.status(
        lang, PICTURE, "CODE", errors={"solved": EVIL, "satisfied": EVIL, "words": EVIL}, values={"words": EVIL}
    ),
    "status, reopened": lambda lang: intake.status(lang, REOPENED, "CODE", now=BEFORE_DUE),
    "status, asked why": lambda lang: intake.status(
        lang, PICTURE, "CODE", errors={"words": EVIL}, values={"solved": "false", "satisfied": "no"}, asked=True
    ),
    "status, being withdrawn": lambda lang: intake.status(lang, BEING_WITHDRAWN, "CODE", now=BEFORE_DUE),
    "status, erased": lambda lang: intake.status(lang, ERASED, "CODE"),
    "withdrawal": lambda lang: intake.withdrawal(lang, WORKED_ON, "CODE", {}, {}, site=EVERYWHERE),
    "withdrawal again": lambda lang: intake.withdrawal(lang, WORKED_ON, EVIL, {"why": EVIL}, {"why": EVIL}, 422),
    "hall": lambda lang: notifier.hall(lang, [ENTRY, ENTRY], EVIL, site=EVERYWHERE),
    "hall, empty": lambda lang: notifier.hall(lang, []),
    "hall entry": lambda lang: notifier.hall_entry(lang, ENTRY),
    "hall entry, two rounds": lambda lang: notifier.hall_entry(lang, TWO_ROUNDS),
    "scoreboard": lambda lang: scorer.scoreboard(lang, BOARD, NOVEMBER, ("2026-10", "2026-12")),
    "scoreboard, empty": lambda lang: scorer.scoreboard(
        lang, BOARD.model_copy(update={"departments": []}), NOVEMBER, ("2026-10", None)
    ),
    **{
        f"problem {status}": lambda lang, status=status: layout.problem(lang, status, EVIL)  # type: ignore[misc]
        for status in (404, 409, 413, 422, 429, 500, 503)
    },
    "wrong address": lambda lang: layout.problem(lang, 422, EVIL, EVERYWHERE, reading=True),
    "scoreboard, sorted": lambda lang: scorer.scoreboard(
        lang, BOARD, NOVEMBER | {"as_of": EVIL}, ("2026-10", None), Sorted("accept", "asc"), EVERYWHERE
    ),
    "scoreboard, wrong": lambda lang: scorer.wrong_address(lang, "sort", EVERYWHERE),
}


@dataclass
class Element:
    """One element of a page and the text inside it."""

    tag: str
    attributes: dict[str, str | None]
    inside: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page taken apart; a tag that does not match its partner fails."""

    source: str
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert not self.open, f"left open: {[one.tag for one in self.open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"<{tag}> has an attribute twice"
        element = Element(tag, dict(attrs), tuple(one.tag for one in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert [one.tag for one in self.open[-1:]] == [tag], f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for one in self.open:
            one.text += data
        apart = any(one.tag in ISOLATED or one.attributes.get("dir") == "auto" for one in self.open)
        if "\u202e" in data and not apart:
            self.loose.append(f"{[one.tag for one in self.open]}: {data!r}")

    def all(self, *tags: str) -> Iterator[Element]:
        return (one for one in self.elements if one.tag in tags)

    def ids(self) -> list[str]:
        return [one.attributes["id"] or "" for one in self.elements if "id" in one.attributes]


EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
EVERY_LANGUAGE = pytest.mark.parametrize("lang", ["zh", "en"])


def shown(name: str, lang: Lang) -> Page:
    return Page(bytes(PAGES[name](lang).body).decode())


@EVERY_PAGE
@EVERY_LANGUAGE
def test_nothing_hostile_becomes_markup(name: str, lang: Lang) -> None:
    source = bytes(PAGES[name](lang).body).decode()
    page = Page(source)
    assert "<script" not in source.lower()
    assert not list(page.all("script", "style", "iframe", "object"))
    for one in page.elements:
        assert not [key for key in one.attributes if key.startswith("on") or key == "style"], one
        for key in ("href", "action", "src"):
            assert not (one.attributes.get(key) or "").lower().startswith("javascript:")


@EVERY_PAGE
@EVERY_LANGUAGE
def test_strange_directions_stay_inside_their_own_words(name: str, lang: Lang) -> None:
    assert shown(name, lang).loose == []


@EVERY_PAGE
@EVERY_LANGUAGE
def test_the_page_says_its_language_and_has_one_heading_and_a_way_to_it(name: str, lang: Lang) -> None:
    page = shown(name, lang)
    assert next(page.all("html")).attributes["lang"] == {"zh": "zh-CN", "en": "en"}[lang]
    assert len(list(page.all("h1"))) == 1
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert next(page.all("a")).attributes["href"] == "#content"
    assert len(list(page.all("main"))) == 1
    assert next(page.all("title")).text.strip()


@EVERY_PAGE
@EVERY_LANGUAGE
def test_every_field_has_a_name_and_every_reference_a_target(name: str, lang: Lang) -> None:
    page = shown(name, lang)
    ids = page.ids()
    assert len(ids) == len(set(ids)), "an id stands twice"
    labelled = {one.attributes.get("for") for one in page.all("label")}
    for one in page.all("input", "textarea", "select"):
        if one.attributes.get("type") != "hidden":
            assert one.attributes.get("id") in labelled or "label" in one.inside, one
    for one in page.elements:
        for key in ("aria-describedby", "aria-labelledby", "for"):
            assert set((one.attributes.get(key) or "").split()) <= set(ids), one
        if (one.attributes.get("href") or "").startswith("#"):
            assert (one.attributes["href"] or "")[1:] in ids
    assert all(one.text.strip() for one in page.all("a", "button", "legend", "label", "th"))


@EVERY_PAGE
@EVERY_LANGUAGE
def test_the_browser_is_told_to_trust_nothing_else(name: str, lang: Lang) -> None:
    response = PAGES[name](lang)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-language"] == {"zh": "zh-CN", "en": "en"}[lang]
    for one in shown(name, lang).all("link", "img"):
        assert (one.attributes.get("href") or "").startswith("/")


@EVERY_LANGUAGE
def test_what_was_typed_comes_back_unchanged(lang: Lang) -> None:
    page = shown("write in again", lang)
    body = next(page.all("textarea"))
    assert body.text.removeprefix("\n") == EVIL.replace("\r\n", "\n") or body.text.removeprefix("\n") == EVIL
    typed = {one.attributes.get("name"): one.attributes.get("value") for one in page.all("input")}
    assert typed["subject"] == EVIL
    chosen = [one.attributes.get("value") for one in page.all("input") if "checked" in one.attributes]
    assert chosen == ["water", "true"]


def test_a_form_has_a_key_of_its_own_and_keeps_the_one_it_was_sent_with() -> None:
    def key(values: dict[str, str]) -> str | None:
        page = Page(bytes(intake.write_in("zh", values, {}, []).body).decode())
        return next(one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "key")

    assert key({}) != key({})
    assert key({"key": "the-first"}) == "the-first"


def test_public_is_off_unless_chosen() -> None:
    page = shown("write in", "zh")
    assert not [one for one in page.all("input") if "checked" in one.attributes]


@EVERY_LANGUAGE
def test_the_code_stands_in_no_address(lang: Lang) -> None:
    page = Page(bytes(intake.status(lang, PICTURE, "7XK2M9QP4TWC").body).decode())
    assert not [one for one in page.elements for key in ("href", "action") if "7XK" in (one.attributes.get(key) or "")]
    assert [one.attributes["method"] for one in page.all("form")] == ["post", "post"]


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "status, worked on",
            {
                "zh": "我们将在 2026年11月23日 00:30 前答复您。",
                "en": "You receive the reply by 23 November 2026 00:30.",
            },
        ),
        (
            "status, late",
            {
                "zh": "本应在 2026年11月23日 00:30 前答复您，现已超期，我们深表歉意。",
                "en": "You should have received the reply by 23 November 2026 00:30. It is late. We are sorry.",
            },
        ),
    ],
)
@EVERY_LANGUAGE
def test_there_is_one_deadline_in_the_citys_time(name: str, sentences: dict[str, str], lang: Lang) -> None:
    page = shown(name, lang)
    assert [one.text for one in page.all("p") if one.attributes.get("class") == "deadline"] == [sentences[lang]]
    assert len([one for one in page.all("time") if "li" not in one.inside]) == 1


@EVERY_LANGUAGE
def test_after_the_answer_there_is_no_deadline(lang: Lang) -> None:
    for name in ("status", "status, new", "status, rated"):
        assert not [one for one in shown(name, lang).all("p") if one.attributes.get("class") == "deadline"]


@EVERY_LANGUAGE
def test_a_resident_sees_the_own_message_and_choices(lang: Lang) -> None:
    picture = PICTURE.model_copy(update={"subject": "路灯坏了", "body": "三天了。\n请修。", "area": "人民路"})
    words = {
        (True, False): {
            "zh": "隐去个人信息后，与答复一并公开。",
            "en": "We publish your message together with the reply",
        },
        (False, False): {"zh": "只有承办部门能看到您的联系方式。", "en": "Your message is not published."},
        (True, True): {
            "zh": "您要求保密，诉求不公开。",
            "en": "Your message is not published, because it is confidential.",
        },
        (False, True): {"zh": "承办部门看不到您的联系方式。", "en": "The departments do not see your contact details."},
    }
    for (public, confidential), said in words.items():
        seen = picture.model_copy(update={"public": public, "confidential": confidential})
        page = Page(bytes(intake.status(lang, seen, "CODE").body).decode())
        assert said[lang] in page.source
        own = [one.text for one in page.elements if one.text in ("路灯坏了", "三天了。\n请修。", "人民路")]
        assert set(own) == {"路灯坏了", "三天了。\n请修。", "人民路"}


def test_a_rated_round_is_not_asked_about_again() -> None:
    page = shown("status, rated", "en")
    assert not [one for one in page.all("form") if one.attributes["action"] == "/status/rating?lang=en"]
    assert "We have received your rating." in page.source


@pytest.mark.parametrize(
    ("name", "answers", "next_steps"),
    [
        (
            "status, rated",
            {"zh": ["已解决", "基本满意", EVIL], "en": ["Yes", "Mostly", EVIL]},
            {"zh": "您无需再做什么。", "en": "You need not do anything else."},
        ),
        (
            "status, not solved",
            {"zh": ["未解决", "基本满意"], "en": ["No", "Mostly"]},
            {"zh": "请重新提交诉求并写明此编号", "en": "please write to us again and name this ticket number"},
        ),
    ],
)
@EVERY_LANGUAGE
def test_a_rating_is_shown_with_what_happens_next(
    name: str, answers: dict[str, list[str]], next_steps: dict[str, str], lang: Lang
) -> None:
    page = shown(name, lang)
    assert [one.text for one in page.all("dd")][: len(answers[lang])] == answers[lang]
    assert next_steps[lang] in page.source


@EVERY_PAGE
@EVERY_LANGUAGE
def test_no_page_shows_a_code_of_the_program(name: str, lang: Lang) -> None:
    texts = " ".join(one.text for one in shown(name, lang).all("body"))
    assert not re.search(r"\bNone\b|\bTrue\b|\bFalse\b|in-progress|co-handler|contact\.", texts)


@EVERY_LANGUAGE
def test_every_text_of_the_other_language_is_marked(lang: Lang) -> None:
    other, tag = {"zh": ("The light is broken", "en"), "en": ("路灯坏了", "zh-CN")}[lang]
    reply = Reply(text=other, paragraphs=(Paragraph(department="water", name=other, text=other),))
    handlers = [DepartmentShown(code="water", name=other, role="lead", state="accepted", due_at=None)]
    timeline = [TimelineEntry(at="2026-11-22T02:00:00Z", text=one) for one in (other, f"{other}\n{other}")]
    texts = {"subject": other, "body": other, "area": other, "reply": reply, "departments": handlers}
    rating = CONTENT.model_copy(update={"words": other})
    seen = rated_as(rating).model_copy(update=texts | {"timeline": timeline})
    for response in (intake.status(lang, seen, "CODE"), intake.preview(lang, other, other, {}, True)):
        page = Page(bytes(response.body).decode())
        around = [one for one in page.elements if one.text.strip() == other and one.attributes.get("lang") == tag]
        written = page.source.count(other)
        assert len({id(one) for one in around}) == written >= 2
    typed = dict.fromkeys(("subject", "body", "area"), other)
    for response, names in (
        (intake.write_in(lang, typed, {"email": "x"}, []), {"subject", "body", "area"}),
        (intake.status(lang, PICTURE, "CODE", errors={"solved": "x"}, values={"words": other}), {"words"}),
    ):
        fields = Page(bytes(response.body).decode()).all("input", "textarea")
        assert {one.attributes["name"] for one in fields if one.attributes.get("lang") == tag} == names
    whole = seen.model_copy(update={"reply": Reply(text=other, paragraphs=())})
    assert f'dir="auto" lang="{tag}">{other}</p>' in bytes(intake.status(lang, whole, "CODE").body).decode()


@EVERY_PAGE
@EVERY_LANGUAGE
def test_titles_contain_neither_codes_nor_residents_texts(name: str, lang: Lang) -> None:
    if name.startswith(("status", "ask", "thank", "link", "preview", "write")):
        whole = next(shown(name, lang).all("title")).text
        title = re.sub("· \u2068[^\u2069]*\u2069 · ", "· ", whole)  # without the name of the city
        assert EVIL[:8] not in title
        assert "CODE" not in title
        assert "7XK2" not in title


def test_pages_with_a_code_are_not_kept_by_the_browser() -> None:
    for name in ("thank you", "status", "write in", "preview", "ask status", "ask link", "link requested"):
        assert PAGES[name]("zh").headers["cache-control"] == "no-store"


def test_pages_at_an_address_with_a_code_tell_it_nobody() -> None:
    for name in ("status", "status, rating refused", "ask status", "ask status again"):
        headers = PAGES[name]("zh").headers
        assert (headers["referrer-policy"], headers["x-robots-tag"]) == ("no-referrer", "noindex")


@EVERY_LANGUAGE
def test_following_the_message_needs_no_code_and_keeps_the_language(lang: Lang) -> None:
    page = shown("thank you", lang)
    links = [one.attributes["href"] for one in page.all("a") if one.attributes.get("class") == "button"]
    assert links == [f"/status?ticket=20261122-7KX4MQ2B&code=7XK2M9QP4TWC&lang={lang}"]


@pytest.mark.parametrize(
    ("share", "text"),
    [("0.6667", "66.6%"), ("1.0000", "100%"), ("0.9999", "99.9%"), ("0.0000", "0%"), ("0.5000", "50%"), (None, "—")],
)
def test_a_share_is_never_rounded_up_to_whole(share: str | None, text: str) -> None:
    assert layout.percent(share, "zh") == layout.percent(share, "en") == text


def test_answers_that_were_sent_to_residents_are_called_replies() -> None:
    headings = {lang: [one.text for one in shown("scoreboard", lang).all("th")] for lang in LANGUAGES}
    assert headings["zh"][:4] == ["部门", "分办件", "已提交意见", "已答复"]
    assert headings["en"][:4] == ["Department", "Parts", "Contributed", "Replied"]
    assert "公开" not in headings["zh"]


def test_the_citys_figures_are_the_departments_added_up() -> None:
    total = scorer.total([*BOARD.departments, *BOARD.departments])
    assert total.assigned == 14
    assert total.accept.kept == 4
    assert total.resolve.share is None


@pytest.mark.parametrize(
    ("query", "accept", "lang"),
    [
        ("", "", "zh"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=zh", "en", "zh"),
        ("?lang=fr", "en-GB,en;q=0.9", "en"),
        ("", "zh-TW,zh;q=0.9,en;q=0.8", "zh"),
        ("", "en;q=0.4, zh;q=0.7", "zh"),
        ("", "fr, en;q=0.5", "en"),
        ("", "en;q=zero", "zh"),
        ("", "en;q=0", "zh"),
        ("", "de,ja", "zh"),
        ("", "english", "zh"),
    ],
)
async def test_the_readers_language(query: str, accept: str, lang: str) -> None:
    app = FastAPI()

    @app.get("/")
    def language(request: Request) -> str:
        return layout.language(request)

    async with AsyncClient(transport=ASGITransport(app), base_url="http://city.example") as client:
        assert (await client.get(f"/{query}", headers={"Accept-Language": accept})).json() == lang


async def test_the_style_sheet_is_served_and_nothing_beside_it() -> None:
    async with AsyncClient(transport=ASGITransport(static_files()), base_url="http://city.example") as client:
        assert (await client.get("/chorus.css")).headers["content-type"].startswith("text/css")
        assert (await client.get("/chorus.svg")).headers["content-type"].startswith("image/svg")
