"""What waits for the decisions of coordinators, approvers and supervisors, at the desk."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.staff import StaffUser
from tests.asking import ASKING, extended, extension_asked, extension_refused
from tests.builders import MONDAY_NOON, Story, assigned, contributed, received, returned, told
from tests.component.searching import ask
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS
from tests.component.test_case_list_filters import a_case, number
from tests.component.test_desk import Office, office, problem
from tests.publishing import hidden, published
from tests.releasing import ONE, TWO, approved, hash_of, release_refused
from tests.returning import RETURNING, arbitrated

__all__ = ["office"]

COORDINATOR, APPROVER, SUPERVISOR, AUDITOR = (
    next(one for one in OTHERS if one.role == role) for role in ("coordinator", "approver", "supervisor", "auditor")
)
LATER = MONDAY_NOON + timedelta(days=20)


async def lists(office: Office, who: StaffUser, **query: Any) -> dict[str, list[dict[str, Any]]]:
    answer = await ask(office, "/worklist", who, **query)
    assert answer.status_code == 200, answer.text
    return {one["kind"]: one["cases"] for one in answer.json()["lists"]}


async def numbers(office: Office, who: StaffUser, kind: str) -> list[int]:
    return [int(one["inquiry_id"][-8:]) for one in (await lists(office, who, kind=kind))[kind]]


async def decide(office: Office, city: Any, *stories: Story) -> None:
    # The feed keeps the city that it has, unless the revision is higher.
    office.city.use(city.city.model_copy(update={"revision": 2}))
    await office.decide(*stories)


def asks(n: int) -> Story:
    return told(received("路灯"), extension_asked("lighting", LATER), city=ASKING, inquiry_id=number(n))


def waits_for_release(n: int, subject: str = "水管", department: str = "water", city: Any = ONE) -> Story:
    return told(received(subject), contributed(department, "修好了"), city=city, inquiry_id=number(n))


def public(n: int, *steps: Any) -> Story:
    return told(received("路灯", public=True), contributed("lighting", "亮了"), *steps, inquiry_id=number(n))


async def test_each_role_has_the_lists_about_which_it_decides(office: Office) -> None:
    expected = {
        COORDINATOR: ["extension", "arbitration", "publication"],
        APPROVER: ["release", "publication"],
        SUPERVISOR: ["arbitration"],
        OPERATOR: ["publication"],
        APPROVER_OF_WATER: ["release", "publication"],
    }
    for who, kinds in expected.items():
        assert list(await lists(office, who)) == kinds


async def test_an_extension_waits_until_it_is_granted_or_refused(office: Office) -> None:
    stories = [asks(n) for n in range(1, 4)]
    await decide(office, ASKING, *stories)
    [first, *_] = (await lists(office, COORDINATOR))["extension"]
    assert (first["part_ids"], first["until"]) == ([f"{number(1)}-p1"], "2026-04-05T04:00:00.000Z")
    await decide(
        office,
        ASKING,
        told(extended("lighting"), city=ASKING, after_this=stories[0]),
        told(extension_refused("lighting"), city=ASKING, after_this=stories[1]),
    )
    assert await numbers(office, COORDINATOR, "extension") == [3]


async def test_an_arbitration_waits_until_somebody_arbitrates(office: Office) -> None:
    dispute = (received("路灯"), returned("lighting"), assigned("roads"), returned("roads"))
    story = told(*dispute, city=RETURNING, inquiry_id=number(1))
    await decide(office, RETURNING, story)
    for who in (COORDINATOR, SUPERVISOR):
        [one] = (await lists(office, who))["arbitration"]
        assert (one["part_ids"], one["until"]) == ([f"{number(1)}-p2"], "2026-03-17T07:30:00.000Z")
    await decide(office, RETURNING, told(arbitrated("roads"), city=RETURNING, after_this=story))
    assert await numbers(office, SUPERVISOR, "arbitration") == []


async def test_a_release_waits_for_its_approvals(office: Office) -> None:
    story = waits_for_release(1, city=TWO)
    await decide(office, TWO, story)
    [one] = (await lists(office, APPROVER))["release"]
    assert (one["text_hash"], one["approvals"], one["approvers"]) == (hash_of(story.case), 0, 2)
    half = told(approved(), city=TWO, after_this=story)
    await decide(office, TWO, half)
    assert [one["approvals"] for one in (await lists(office, APPROVER))["release"]] == [1]
    await decide(office, TWO, told(release_refused(), city=TWO, after_this=half))
    assert await numbers(office, APPROVER, "release") == []


async def test_an_approver_of_a_department_has_its_cases_only(office: Office) -> None:
    await decide(office, ONE, waits_for_release(1), waits_for_release(2, "路灯", "lighting"))
    assert await numbers(office, APPROVER, "release") == [1, 2]
    assert await numbers(office, APPROVER_OF_WATER, "release") == [1]
    problem(await ask(office, "/worklist", APPROVER_OF_WATER, kind="release", after=number(2)), 404)


async def test_a_publication_waits_until_somebody_publishes_or_hides(office: Office) -> None:
    stories = [public(n) for n in range(1, 4)]
    await office.decide(*stories, a_case(4, "路灯", contributed("lighting", "亮了")))
    assert await numbers(office, COORDINATOR, "publication") == [1, 2, 3]
    await office.decide(told(published(), after_this=stories[0]), told(hidden(), after_this=stories[1]))
    assert await numbers(office, COORDINATOR, "publication") == [3]


async def test_a_list_goes_on_while_cases_leave_it(office: Office) -> None:
    stories = [asks(n) for n in range(1, 7)]
    await decide(office, ASKING, *stories)
    first = (await ask(office, "/worklist", COORDINATOR, kind="extension", limit=2)).json()["lists"][0]
    assert [one["inquiry_id"] for one in first["cases"]] == [number(1), number(2)]
    await decide(office, ASKING, told(extended("lighting"), city=ASKING, after_this=stories[1]))
    answer = (await ask(office, "/worklist", COORDINATOR, kind="extension", after=first["next"])).json()["lists"][0]
    assert ([one["inquiry_id"] for one in answer["cases"]], answer["next"]) == (
        [number(n) for n in range(3, 7)],
        None,
    )


@pytest.mark.parametrize(
    ("who", "query", "status"),
    [
        (AUDITOR, {}, 403),
        (SUPERVISOR, {"kind": "extension"}, 403),
        (APPROVER, {"department": "water"}, 403),
        (COORDINATOR, {"kind": "tea"}, 422),
        (COORDINATOR, {"kind": "extension", "department": "water"}, 422),
        (COORDINATOR, {"mark": "overdue"}, 422),
        (COORDINATOR, {"after": number(1)}, 422),
        (COORDINATOR, {"kind": "extension", "after": number(9)}, 404),
        (LIGHTING, {"kind": "extension"}, 422),
    ],
)
async def test_what_a_role_may_not_read_is_refused(
    office: Office, who: StaffUser, query: dict[str, str], status: int
) -> None:
    problem(await ask(office, "/worklist", who, **query), status)
