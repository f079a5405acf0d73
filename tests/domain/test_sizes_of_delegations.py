"""The largest delegation: each message and each decision fits into the topics and into the store."""

from bson import encode

from services.router.domain.city_index import city_index
from shared.contracts.limits import DEPARTMENTS_MAX, MESSAGE_BYTES_MAX, TEXT_MAX
from tests.builders import a_department, contributed, filled, received, told
from tests.delegating import delegated
from tests.domain.test_sizes import CODES, CONTROL, STORE_MAX, city


def test_the_largest_delegations_fit() -> None:
    """Every department delegates to as many offices as it can, with texts that contain one another."""
    whole = city(CONTROL).city
    offices = {code: [f"{code}-of-a-long-name-{number:02d}" for number in range(DEPARTMENTS_MAX)] for code in CODES}
    below = [a_department(name, parent=code) for code, names in offices.items() for name in names]
    index = city_index(whole.model_copy(update={"departments": (*whole.departments, *below)}))
    steps = [received("路灯", filled(CONTROL, 20_000), departments=tuple(CODES))]
    steps += [delegated(code, *offices[code], text=filled(CONTROL, TEXT_MAX - 1)) for code in CODES]
    steps.append(contributed(offices[CODES[0]][0], filled(CONTROL, TEXT_MAX)))
    story = told(*steps, city=index)
    assert [one.refusal for one in story.decisions if one.refusal] == []
    assert len(story.case.delegated_parts) == DEPARTMENTS_MAX**2
    assert max(len(one.value) for one in story.messages) <= MESSAGE_BYTES_MAX
    assert max(len(encode(one.document())) for one in story.decisions) <= STORE_MAX
    assert max(len(event) for one in story.decisions for event in one.events) <= 16_384
