"""The largest case whose departments all answer late: each addendum fits into the topics and into the store."""

from bson import encode

from services.router.domain.city_index import city_index
from shared.contracts.limits import DEPARTMENTS_MAX, FRAME_MAX, MESSAGE_BYTES_MAX, TEXT_MAX
from shared.kafka import topics
from tests.builders import filled, received, told
from tests.domain.test_sizes import CODES, CONTROL, STORE_MAX, city, contribution
from tests.joining import going_ahead_city, late
from tests.releasing import approved, reply_edited


def test_the_largest_addenda_fit() -> None:
    index = city_index(city(CONTROL).city.model_copy(update={"policies": going_ahead_city(1).policies}))
    steps = [received("路灯", filled(CONTROL, 20_000), departments=tuple(CODES), public=True)]
    for number, code in enumerate(CODES):
        text = filled(CONTROL, TEXT_MAX - number)
        frame = reply_edited(
            CODES[0], opening=filled(CONTROL, FRAME_MAX), closing=filled(CONTROL, FRAME_MAX - number - 1)
        )
        steps += [late(one, number + 1) for one in (contribution(code, text, "x"), frame, approved())]
    story = told(*steps, city=index)
    assert [one.refusal for one in story.decisions if one.refusal] == []
    assert len(story.case.addenda) == DEPARTMENTS_MAX - 1
    assert story.resident()["what"] == "supplemented"
    assert max(len(one.value) for one in story.messages) <= MESSAGE_BYTES_MAX
    assert max(len(one.value) for one in story.messages if one.topic == topics.RESIDENTS) > 3_000_000
    assert max(len(encode(one.document())) for one in story.decisions) <= STORE_MAX
