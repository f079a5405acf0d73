"""The auditor of the chaos run accepts every event that a story makes."""

import json

import pytest

from tests.chaos.audit.texts import PART_STATES, forbidden_texts
from tests.contract.test_golden import STORIES


@pytest.mark.parametrize("name", STORIES)
def test_the_auditor_knows_every_field_with_text(name: str) -> None:
    events = [json.loads(event) for decision in STORIES[name].decisions for event in decision.events]
    areas = {event["area"] for event in events if event.get("area")}
    assert [one for event in events for one in forbidden_texts(event, areas)] == []
    assert {state for event in events for state in event["part_states"]} <= set(PART_STATES)


def test_a_text_that_is_not_of_the_form_of_its_field_is_forbidden() -> None:
    assert list(forbidden_texts({"said": "x", "until": "soon", "area": "Elm St", "clock": "accept"}, {"Elm"})) == [
        ("said", "x"),
        ("until", "soon"),
        ("area", "Elm St"),
    ]
