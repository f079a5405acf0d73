"""A late part at the desk, on the status page and in the hall."""

from services.notifier.domain.hall import case_of, shown_entry, unmasked_entry
from services.notifier.hall_documents import entry, entry_document
from services.notifier.responses import FeedItem
from services.notifier.views import hall_entry
from shared.contracts.resident_messages import ResidentTold
from shared.masking.lexicon import NoLexicon
from shared.masking.masking import mask_case
from tests.builders import INQUIRY, Story, contributed, received, told
from tests.component.staff import LIGHTING, OTHERS, ROADS
from tests.component.test_desk import Office, office, problem
from tests.component.test_intake import Intake, intake
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.component.test_ticket_pages import a_ticket, opened, texts
from tests.joining import APPROVED_FIRST, GOING_AHEAD, going_ahead_city, late, went_ahead
from tests.releasing import approved, hash_of, reply_edited

__all__ = ["intake", "office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
TWO = received("路灯和路面都坏了", public=True)
WITHOUT = (TWO, contributed("lighting", "灯亮了，电话 13800138000"), late(went_ahead()), late(approved(), 2))
ADDED = (late(contributed("roads", "路补了，电话 13900139000"), 3), late(reply_edited(closing="此复。"), 4))


def waiting() -> Story:
    """The reply went out without roads, whose addendum waits for an approval."""
    return told(*WITHOUT, *ADDED, city=APPROVED_FIRST)


async def given(office: Office, story: Story, approvers: int = 1) -> None:
    office.city.use(going_ahead_city(approvers, revision=2))
    await office.decide(story)


# ── the desk ─────────────────────────────────────────────────────────────────


async def test_the_lead_goes_ahead_at_the_desk(office: Office) -> None:
    """The desk stamps the time of the command: months after the part was due."""
    await given(office, told(TWO, contributed("lighting", "灯亮了"), city=GOING_AHEAD), approvers=0)
    assert (await done(office, LIGHTING, type="go-ahead"))["status"] == "applied"
    seen = await case(office, COORDINATOR)
    assert (seen["state"], {one["department"]: one["omitted"] for one in seen["parts"]}) == (
        "answered",
        {"lighting": False, "roads": True},
    )
    assert (await done(office, ROADS, type="contribute", part_id=P2, text="路补了"))["status"] == "applied"
    seen = await case(office, COORDINATOR)
    assert [(one["reply_id"], one["state"]) for one in seen["addenda"]] == [(f"{INQUIRY}-r1-a1", "released")]
    assert seen["parts"][1]["omitted"] is False


async def test_a_co_handler_cannot_go_ahead_and_a_supervisor_may_not(office: Office) -> None:
    await given(office, told(TWO, contributed("lighting", "灯亮了"), city=GOING_AHEAD))
    status = await done(office, ROADS, type="go-ahead")
    assert (status["status"], "does not lead" in status["reason"]) == ("refused", True)
    detail = problem(await send(office, SUPERVISOR, type="go-ahead"), 403)["detail"]
    assert detail.endswith("allowed roles: clerk, coordinator, operator.")


async def test_the_answered_case_stays_on_the_list_of_open_parts(office: Office) -> None:
    await given(office, told(*WITHOUT, city=APPROVED_FIRST))
    [one] = (await get(office, ROADS, "/cases", open="true")).json()["cases"]
    assert (one["inquiry_id"], one["state"], one["part_states"]) == (
        INQUIRY,
        "answered",
        {"contributed": 1, "offered": 1},
    )
    assert await office.store.cases.open_with("roads", "", 10) == [INQUIRY]
    assert (await office.store.cases.open_parts())["offered"] == 1
    await office.decide(
        told(*ADDED, late(approved(), 5), city=APPROVED_FIRST, after_this=told(*WITHOUT, city=APPROVED_FIRST))
    )
    assert (await get(office, ROADS, "/cases", open="true")).json()["cases"] == []


async def test_an_approver_reads_and_approves_the_addendum(office: Office) -> None:
    story = waiting()
    await given(office, story)
    seen = await case(office, APPROVER)
    [addendum] = seen["addenda"]
    assert (seen["state"], seen["reply"]["state"], addendum["state"]) == (
        "awaiting-release",
        "released",
        "awaiting-release",
    )
    assert (addendum["sha256"], addendum["version"], addendum["closing"]) == (hash_of(story.case), 2, "此复。")
    [listed] = (await get(office, APPROVER, "/cases", state="awaiting-release")).json()["cases"]
    assert listed["inquiry_id"] == INQUIRY
    assert (await done(office, APPROVER, type="approve", text_hash=addendum["sha256"]))["status"] == "applied"
    seen = await case(office, APPROVER)
    assert (seen["state"], [one["state"] for one in seen["addenda"]]) == ("answered", ["released"])


async def test_the_addendum_is_for_the_lead_and_approvers_until_its_release(office: Office) -> None:
    await given(office, told(*WITHOUT, late(contributed("roads", "机密"), 3), city=APPROVED_FIRST))
    assert [one["text"] for one in (await case(office, LIGHTING))["addenda"]] == ["【道路处】\n机密"]
    seen = await case(office, ROADS)
    assert (seen["addenda"], seen["reply"]["state"]) == ([], "released")


async def test_b_sees_nothing_of_the_other_cases_of_a(office: Office) -> None:
    """A is joined by B: B's clerk reads this case, and no other one of A."""
    other = told(received("路灯不亮"), inquiry_id="20260316-AAAAAAAA")
    await given(office, waiting())
    await office.decide(other)
    assert [one["inquiry_id"] for one in (await get(office, ROADS, "/cases")).json()["cases"]] == [INQUIRY]
    problem(await get(office, ROADS, "/cases/20260316-AAAAAAAA"), 404)


# ── the status page and the hall ─────────────────────────────────────────────


async def test_the_status_page_shows_the_addendum_under_the_reply(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    without = (*WITHOUT[:3], late(reply_edited(opening="您好："), 1.5), WITHOUT[3])
    steps = (*without, *ADDED, late(approved(), 5))
    await intake.hear(told(*without, city=APPROVED_FIRST, inquiry_id=ticket))
    page = texts(await opened(intake, ticket, code, "zh"))
    assert "灯亮了" in page
    assert "道路处" not in page.partition("办理过程")[0]
    await intake.hear(told(*steps, city=APPROVED_FIRST, inquiry_id=ticket))
    page = texts(await opened(intake, ticket, code, "zh"))
    reply, _, addendum = page.partition("补充答复")
    assert "路补了" not in reply.partition("灯亮了")[2]
    assert addendum.index("道路处") < addendum.index("路补了") < addendum.index("此复。")
    shown = (await intake.http.get(f"/inquiries/{ticket}", params={"code": code})).json()
    assert (shown["state"], shown["reply"]["text"]) == (
        "answered",
        "您好：\n\n【路灯管理所】\n灯亮了，电话 13800138000",
    )
    [added] = shown["reply"]["addenda"]
    assert (added["paragraphs"][0]["text"], added["closing"]) == ("路补了，电话 13900139000", "此复。")


def test_the_hall_shows_the_addendum_masked_under_the_reply() -> None:
    story = told(*WITHOUT, *ADDED, late(approved(), 5), city=APPROVED_FIRST)
    unmasked = unmasked_entry(ResidentTold.model_validate(story.resident()), 7, "2026-04-01T00:00:00.000Z")
    assert unmasked is not None
    masked = shown_entry(unmasked.entry, mask_case(case_of(unmasked, ()), NoLexicon()))
    shown = entry(entry_document(masked))
    assert shown == masked
    assert shown.answered_at == "2026-03-31T06:00:00.000Z"
    assert shown.departments == ["路灯管理所", "道路处"]
    page = bytes(hall_entry("zh", shown).body).decode()
    assert page.index("灯亮了") < page.index("补充答复") < page.index("路补了") < page.index("此复。")
    assert "13900139000" not in page
    item = FeedItem.of(shown, "http://hall.example")
    assert item.content_text.endswith("此复。")
    assert item.tags == ["lighting", "roads"]


def test_the_hall_takes_no_entry_from_what_comes_between() -> None:
    told_now = [data for _, data in waiting().on("residents.inbox")]
    kinds = [data["what"] for data in told_now if unmasked_entry(ResidentTold.model_validate(data), 1, "")]
    assert kinds == ["answered"]
