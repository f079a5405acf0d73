"""The desk puts public holidays into revisions of the city, keeps them up to date and measures how far they reach."""

from datetime import date
from typing import Any

import pytest

from services.router.desk import city_revisions
from services.router.desk.calendar_days import CalendarDays, known_until_s
from services.router.desk.city_revisions import CityDesk
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.staff import StaffUser
from services.router.stores.city_revisions import CityRevisions
from services.router.stores.store import RouterStore
from shared.city import Calendar, City, Policy, public_holidays
from shared.city.calendars import PublicHolidays
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from tests.builders import CITY
from tests.calendars import CHINESE
from tests.component.staff import OPERATOR
from tests.fakes import FakePublisher

WORKING = Policy.model_validate(
    {"id": "standard", "calendar": "working", "clocks": {"accept": "2h", "first_reply": "1d", "resolve": "7d"}}
)
APPLIED = CITY.model_copy(update={"policies": (WORKING,)})
EARLIER = PublicHolidays(country="CN", free_days=(), working_days=(), known_until=date(2025, 1, 1))
LATER = PublicHolidays(country="CN", free_days=(date(2030, 1, 1),), working_days=(), known_until=date(2031, 1, 1))


class Shelf(CityRevisions):
    """Revisions in memory."""

    def __init__(self) -> None:
        self.stored: list[City] = []

    async def latest(self) -> City | None:
        return self.stored[-1] if self.stored else None

    async def add(self, city: City, who: StaffUser | None = None) -> bool:
        self.stored.append(city)
        return True


class Desk:
    def __init__(self) -> None:
        self.shelf = Shelf()
        store = RouterStore.__new__(RouterStore)
        store.revisions = self.shelf
        self.city: CityFeed[CityIndex] = CityFeed(city_index)
        self.city_desk = CityDesk(store, FakePublisher(), self.city, Settings())
        self.days = CalendarDays(self.city_desk, self.city)

    def holidays(self) -> tuple[PublicHolidays, ...]:
        return self.shelf.stored[-1].public_holidays


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    async def exist(*_: Any) -> None:
        pass

    monkeypatch.setattr(city_revisions, "create_topics", exist)
    return Desk()


async def test_a_revision_has_the_public_holidays_that_are_known(desk: Desk) -> None:
    revised = await desk.city_desk.apply(APPLIED, OPERATOR)
    assert revised.public_holidays == (CHINESE,)
    assert date(2026, 10, 1) in CHINESE.free_days
    assert City.model_validate_json(revised.model_dump_json()) == revised


async def test_applying_the_same_city_again_makes_no_revision(desk: Desk) -> None:
    assert (
        (await desk.city_desk.apply(APPLIED, OPERATOR)).revision
        == (await desk.city_desk.apply(APPLIED, OPERATOR)).revision
        == 1
    )
    assert len(desk.shelf.stored) == 1


async def test_what_somebody_sends_as_public_holidays_has_no_effect(desk: Desk) -> None:
    sent = APPLIED.model_copy(update={"public_holidays": (LATER,)})
    assert (await desk.city_desk.apply(sent, OPERATOR)).public_holidays == (CHINESE,)


async def test_an_older_release_does_not_shorten_what_is_known(desk: Desk) -> None:
    desk.shelf.stored.append(APPLIED.model_copy(update={"revision": 7, "public_holidays": (LATER,)}))
    renamed = APPLIED.model_copy(update={"telephone": "12345"})
    assert (await desk.city_desk.apply(renamed, OPERATOR)).public_holidays == (LATER,)
    assert desk.shelf.stored[-1].revision == 8


async def test_a_city_whose_policies_follow_no_holidays_stores_none(desk: Desk) -> None:
    assert (await desk.city_desk.apply(CITY, OPERATOR)).public_holidays == ()


async def test_holidays_that_become_known_make_one_revision(desk: Desk) -> None:
    desk.shelf.stored.append(APPLIED.model_copy(update={"revision": 7, "public_holidays": (EARLIER,)}))
    await desk.days.refresh(date(2026, 1, 1))
    await desk.days.refresh(date(2026, 1, 1))
    assert [(one.revision, one.public_holidays) for one in desk.shelf.stored[1:]] == [(8, (CHINESE,))]


async def test_a_refresh_does_not_change_days_that_were_known(desk: Desk) -> None:
    """Only applying a city does: a release that corrects a past year must not rewrite it by itself."""
    other = CHINESE.model_copy(update={"free_days": CHINESE.free_days[:-1]})
    desk.shelf.stored.append(APPLIED.model_copy(update={"revision": 7, "public_holidays": (other,)}))
    await desk.days.refresh(date(2026, 1, 1))
    assert desk.holidays() == (other,)
    await desk.city_desk.apply(APPLIED, OPERATOR)
    assert desk.holidays() == (CHINESE,)


async def test_a_city_without_room_for_new_holidays_stays_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The router must not end, because it could never start again."""
    desk.shelf.stored.append(APPLIED.model_copy(update={"revision": 7, "public_holidays": (EARLIER,)}))
    monkeypatch.setattr(city_revisions, "CITY_BYTES_MAX", 100)
    await desk.days.refresh(date(2026, 1, 1))
    assert [one.revision for one in desk.shelf.stored] == [7]


async def test_before_the_first_city_there_is_nothing_to_refresh(desk: Desk) -> None:
    await desk.days.refresh(date(2026, 1, 1))
    assert desk.shelf.stored == []


async def test_holidays_of_other_countries_reach_one_year_further_each_january(desk: Desk) -> None:
    berlin = (Calendar(id="working", holidays="DE-BE"),)
    await desk.city_desk.apply(APPLIED.model_copy(update={"calendars": berlin}), OPERATOR)
    [known] = desk.holidays()
    year = known.known_until.year
    await desk.days.refresh(date(year - public_holidays.YEARS_AHEAD, 1, 1))
    [further] = desk.holidays()
    assert (known.known_until, further.known_until) == (date(year, 1, 1), date(year + 1, 1, 1))
    assert date(year, 5, 1) in set(further.free_days) - set(known.free_days)


def known_until(**changes: Any) -> float:
    return known_until_s(city_index(APPLIED.model_copy(update=changes)))


def test_the_metric_is_the_first_moment_without_announced_holidays() -> None:
    # 1 January 2025 in Asia/Shanghai is 31 December, 16:00, in UTC.
    assert known_until(public_holidays=(EARLIER,)) == 1_735_660_800
    assert known_until(public_holidays=(LATER,)) > known_until(public_holidays=(EARLIER,))


def test_the_metric_is_zero_without_a_calendar_that_follows_holidays() -> None:
    assert known_until(policies=CITY.policies, public_holidays=(EARLIER,)) == 0
    assert known_until(calendars=(Calendar(id="working"),)) == 0
