"""An erasure on a whole stack: page, hall, feed, departments and all four databases, seen from outside."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pymongo
import pytest

from tests.backing import Backing
from tests.conftest import chorus_up
from tests.integration.outside import departments_write, read_all
from tests.integration.test_staff import FIRST, SECOND, Town
from tests.patience import until

pytestmark = pytest.mark.integration

MARKS = (
    "标记主题",
    "标记正文",
    "标记姓名",
    "13900112233",
    "marked@mail.example",
    "标记甲",
    "标记乙",
    "标记评价",
    "标记原因",
)


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """`running` skips it where a stack cannot run."""
    with chorus_up(tmp_path_factory.mktemp("erasure"), {}) as stack:
        yield Town(stack)


def stored_in(town: Town) -> dict[str, str]:
    """Every document of the four databases as text, by collection."""
    with pymongo.MongoClient[dict[str, Any]](town.file["mongodb"]) as client:
        names = [name for name in client.list_database_names() if name.startswith("chorus_")]
        assert len(names) == 4
        return {
            f"{name}.{collection}": str(list(client[name][collection].find()))
            for name in names
            for collection in client[name].list_collection_names()
        }


def places_of_marks(town: Town) -> set[str]:
    return {name for name, text in stored_in(town).items() if any(mark in text for mark in MARKS)}


def test_an_erased_answer_leaves_dates_and_no_word(town: Town) -> None:
    urls = town.file["urls"]
    with httpx.Client(timeout=20, trust_env=False, follow_redirects=True) as http:
        message = {
            "subject": "标记主题",
            "body": "标记正文",
            "departments": [FIRST, SECOND],
            "public": True,
            "contact": {"name": "标记姓名", "phone": "13900112233", "email": "marked@mail.example"},
        }
        receipt = http.post(f"{urls['intake']}/inquiries", json=message).json()
        number, code = receipt["inquiry_id"], {"X-Query-Code": receipt["query_code"]}
        until(lambda: town.get("coordinator", f"/cases/{number}").status_code == 200, "the inquiry is not decided")
        for part, (department, text) in enumerate(((FIRST, "标记甲"), (SECOND, "标记乙")), 1):
            contribution = {"part_id": f"{number}-p{part}", "text": text}
            departments_write(town.file["kafka"], department, "part.contributed", contribution)

        def ticket() -> Any:
            return http.get(f"{urls['intake']}/inquiries/{number}", headers=code).json()

        until(lambda: ticket()["state"] == "answered", "no answer")
        rating = {"round": 1, "solved": True, "satisfied": "yes", "words": "标记评价"}
        assert http.post(f"{urls['intake']}/inquiries/{number}/rating", json=rating, headers=code).status_code == 202
        feed = f"{urls['notifier']}/hall/feed.json"
        until(lambda: town.chorus(None, "hall", "publish", number).returncode == 0, "no version to publish")
        until(lambda: number in http.get(feed).text, "no entry in the hall")
        assert {name.partition(".")[0] for name in places_of_marks(town)} >= {
            "chorus_intake",
            "chorus_router",
            "chorus_notifier",
        }

        done = town.chorus(None, "erase", number, "--why", "标记原因", "--json")
        assert done.returncode == 0, done.stderr
        dates = json.loads(done.stdout)

        assert places_of_marks(town) == set()
        seen = ticket()
        assert (seen["state"], seen["erasure"]["kafka_until"]) == ("erased", dates["kafka_until"])
        page = http.get(receipt["status_url"], headers={"accept": "text/html", "accept-language": "zh"}).text
        assert "已删除" in page
        assert f'datetime="{dates["erased_at"][:4]}' in page
        assert not any(mark in page for mark in MARKS)
        assert number not in http.get(feed).text
        assert http.get(f"{urls['notifier']}/hall/{number}").status_code == 404
        assert number not in http.get(f"{urls['notifier']}/hall").text
        inboxes = read_all(town.file["kafka"], [f"departments.{one}.inbox" for one in (FIRST, SECOND)])
        erased = [one for one in inboxes if one.key == number and one.headers["ce_type"] == "chorus.part.erased"]
        assert len(erased) == 2
        events = [one for one in read_all(town.file["kafka"], ["inquiries.events"]) if one.key == number]
        assert events[-1].data["type"] == "chorus.inquiry.erased"

    late = town.chorus("coordinator", "case", "command", number, "refuse", "reason=no-clear-request", "words=标记原因")
    assert (late.returncode, "is erased" in late.stderr) == (4, True)
    departments_write(town.file["kafka"], FIRST, "part.replied", {"part_id": f"{number}-p1", "text": "标记甲"})
    until(lambda: "message.refused" in str(read_all(town.file["kafka"], [f"departments.{FIRST}.inbox"])), "no refusal")
    assert places_of_marks(town) == set()
    again = town.chorus(None, "erase", number, "--why", "again")
    assert again.returncode == 0, again.stderr
    assert town.chorus(None, "reconcile", "--dry-run").returncode == 0
