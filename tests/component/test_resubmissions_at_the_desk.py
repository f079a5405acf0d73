"""The desk is offered likely resubmissions and links them; clerks and residents learn nothing of it."""

from shared.contracts.fields import Contact
from tests.builders import INQUIRY, received, told
from tests.component.staff import LIGHTING, OTHERS
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, get, send

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, *_ = OTHERS
EARLIER, UNRELATED = "20260316-00000001", "20260316-00000002"
WRITER = Contact(phone="13900000000")


async def two_alike(office: Office) -> None:
    await office.decide(
        told(received("路灯不亮", "幸福路三号门前的路灯坏了半个月。", contact=WRITER), inquiry_id=EARLIER),
        told(received("井盖不见了", "人民路有个坑，很危险，请尽快处理。"), inquiry_id=UNRELATED),
        told(received("路灯还是不亮", "幸福路三号门前的路灯坏了一个月。", contact=WRITER)),
    )


async def test_the_desk_sees_what_an_inquiry_may_repeat_and_why(office: Office) -> None:
    await two_alike(office)
    found = (await get(office, COORDINATOR, f"/cases/{INQUIRY}/resubmissions")).json()
    [likely] = found["likely"]
    assert (likely["inquiry_id"], likely["subject"], likely["linked"]) == (EARLIER, "路灯不亮", False)
    assert likely["signs"] == ["same-phone", "similar-text"]
    assert (found["compared"], found["complete"]) == (2, True)
    problem(await get(office, COORDINATOR, "/cases/20260316-ZZZZZZZZ/resubmissions"), 404)
    assert (
        "coordinator, supervisor"
        in problem(await get(office, LIGHTING, f"/cases/{INQUIRY}/resubmissions"), 403)["detail"]
    )


async def test_both_cases_show_the_link_to_the_desk_and_not_to_a_clerk(office: Office) -> None:
    await two_alike(office)
    assert (await done(office, COORDINATOR, type="link", linked_to=EARLIER))["status"] == "applied"
    await office.decide_log(1)
    assert (await case(office, COORDINATOR))["links"] == [EARLIER]
    assert (await case(office, COORDINATOR, EARLIER))["links"] == [INQUIRY]
    assert (await case(office, LIGHTING))["links"] == []
    assert EARLIER not in (await get(office, LIGHTING, f"/cases/{INQUIRY}")).text
    assert "links" not in (await get(office, COORDINATOR, "/cases")).json()["cases"][0]
    [likely] = (await get(office, SUPERVISOR, f"/cases/{INQUIRY}/resubmissions")).json()["likely"]
    assert likely["linked"]


async def test_a_link_to_nothing_is_refused_at_once(office: Office) -> None:
    await two_alike(office)
    wrong = problem(await send(office, COORDINATOR, type="link", linked_to="20260316-ZZZZZZZZ"), 422)
    assert wrong["errors"][0]["pointer"] == "/linked_to"
    problem(await send(office, COORDINATOR, type="link", linked_to="机密"), 422)
    assert (
        "coordinator, operator" in problem(await send(office, LIGHTING, type="link", linked_to=EARLIER), 403)["detail"]
    )
