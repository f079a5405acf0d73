"""The largest case: the most departments, each with the largest contribution. The answer arrives everywhere."""

import json
import time

import httpx
import pytest
import yaml

from shared.contracts.limits import BODY_MAX, DEPARTMENTS_MAX, SUBJECT_MAX, TEXT_MAX
from shared.contracts.sources import SERVICES
from shared.kafka import topics
from tests.backing import Backing
from tests.builders import filled
from tests.conftest import REPOSITORY, RunningStack
from tests.integration.outside import Resident, departments_write, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("character", ["\x01", "\U0001f600"], ids=["control characters", "4 bytes"])
def test_the_largest_case_is_answered_and_published(running: Backing, stack: RunningStack, character: str) -> None:
    about = json.loads((stack.data / "stack.json").read_text())
    resident = Resident(about["urls"]["intake"], httpx.Client(timeout=60))
    listed = yaml.safe_load((REPOSITORY / "deploy" / "city" / "departments.yaml").read_text("utf-8"))
    codes = [one["code"] for one in listed][:DEPARTMENTS_MAX]
    assert len(codes) == DEPARTMENTS_MAX
    receipt = resident.write(
        {
            "subject": filled(character, SUBJECT_MAX),
            "body": filled(character, BODY_MAX),
            "departments": codes,
            "public": True,
            "contact": {"email": "a@mail.example"},
        }
    )
    resident.wait_for(receipt, "assigned")
    for number, code in enumerate(codes, 1):
        part = {"part_id": f"{receipt['inquiry_id']}-p{number}", "text": filled(character, TEXT_MAX - number)}
        departments_write(running.kafka, code, "part.contributed", part)
    seen = resident.wait_for(receipt, "answered")
    texts = [one["text"] for one in seen["reply"]["paragraphs"]]
    assert texts == [filled(character, TEXT_MAX - number) for number in range(1, DEPARTMENTS_MAX + 1)]
    in_the_hall(stack, about["urls"]["notifier"], receipt["inquiry_id"])
    letters = read_all(running.kafka, [topics.dead_letters(service) for service in SERVICES])
    assert [one.headers["dl_reason"] for one in letters if one.headers.get("ce_subject") == receipt["inquiry_id"]] == []
    told = [one for one in read_all(running.kafka, [topics.RESIDENTS]) if one.key == receipt["inquiry_id"]]
    assert max(len(one.value) for one in told) > 3 * DEPARTMENTS_MAX * (TEXT_MAX - DEPARTMENTS_MAX) * 4


def in_the_hall(stack: RunningStack, notifier: str, inquiry_id: str) -> None:
    """Publish the entry once it is masked, and wait for its page."""
    until = time.monotonic() + PATIENCE_S
    while (done := stack.chorus("hall", "publish", inquiry_id)).returncode != 0:
        assert time.monotonic() < until, done.stderr
        time.sleep(0.2)
    while httpx.get(f"{notifier}/hall/{inquiry_id}", timeout=PATIENCE_S).status_code != 200:
        assert time.monotonic() < until, "the answer is not in the hall"
        time.sleep(0.2)
