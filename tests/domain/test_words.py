"""Messages to residents in both languages, with times in the city's time zone."""

from services.router.domain.city_index import city_index
from shared.kafka import topics
from tests.builders import CITY, Step, a_city, contributed, received, replied, returned, told


def texts(*steps: Step) -> list[str]:
    return [one["text"] for _, one in told(*steps).on(topics.RESIDENTS)]


def test_an_assignment_names_all_departments_and_the_local_time() -> None:
    assert (
        texts(received("三家一起"))[1]
        == "您的诉求已派单：路灯管理所主办，道路处、自来水公司协办。首次答复时限 2026-03-19 12:00。"
    )
    assert texts(received("三家一起", language="en"))[1] == (
        "Your message is with Street Lighting (leading), with Roads, Water Works. "
        "You will hear from them by 2026-03-19 12:00."
    )


def test_an_assignment_to_one_department_names_only_that_one() -> None:
    assert texts(received("水管漏水"))[1].startswith("您的诉求已派单：自来水公司主办。")


def test_every_step_has_its_message() -> None:
    said = texts(received("路灯和路面"), replied("roads", "在路上"), returned("lighting"))
    assert said[2:] == [
        "道路处已受理。",
        "道路处告知进展：在路上",
        "路灯管理所已退单，将改派其他部门。",
        "您的诉求正由人工研判，确定办理部门。",
    ]


def test_a_reply_shows_each_departments_text_under_its_name() -> None:
    said = texts(received("路灯和路面", language="en"), contributed("roads", "filled"), contributed("lighting", "lit"))
    assert said[-1] == "Your message is answered.\n\n【Street Lighting】\nlit\n\n【Roads】\nfilled"


def test_an_unknown_department_is_shown_with_its_code() -> None:
    first = told(received("路灯不亮"))
    smaller = city_index(a_city(*(one for one in CITY.departments if one.code != "lighting"), revision=2))
    story = told(contributed("lighting", "亮了"), city=smaller, after_this=first)
    assert story.resident()["text"] == "您的诉求已答复。\n\n【lighting】\n亮了"
