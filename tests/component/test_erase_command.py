"""`chorus erase` against fake services."""

import pytest

from tests.component.town import Answer, Asked, Chorus, Town, problem

CASE = "20261122-7F3KQ2MX"
DATES = {
    "erased_at": "2026-11-23T04:00:00.000Z",
    "kafka_until": "2027-03-01T04:00:00.000Z",
    "backups_until": "2027-03-31T04:00:00.000Z",
}


class Desk:
    """A desk that applies or refuses the command; the case is erased once it has applied one."""

    def __init__(self, status: str = "applied", *, erased: bool = False, known: bool = True) -> None:
        self.status, self.erased, self.known = status, erased, known
        self.behind = {"router": 2, "intake": 1}
        self.forbidden = False

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.startswith("/behind"):
            if self.forbidden:
                return problem(403, "not you")
            left = self.behind.popitem() if self.behind else None
            return 200, {"behind": dict([left]) if left else {}}, {}
        if asked.method == "POST":
            self.erased = self.erased or self.status == "applied"
            return 202, {"event_id": "an-id"}, {}
        if asked.path.startswith("/commands/"):
            return 200, {"status": self.status, "inquiry_id": CASE, "reason": "no"}, {}
        if not self.known and not self.erased:
            return problem(404, "unknown")
        return 200, {"state": "erased" if self.erased else "answered", "erasure": DATES if self.erased else None}, {}


def test_it_erases_waits_for_every_service_and_prints_the_dates(town: Town, chorus: Chorus) -> None:
    town.says = desk = Desk()
    done = chorus("erase", CASE, "--why", "as the resident asked", "--json")
    assert done.code == 0, done.err
    [sent] = town.posts(f"/cases/{CASE}/commands")
    assert sent.body == {"type": "erase", "why": "as the resident asked"}
    assert desk.behind == {}
    assert {name: done.document[name] for name in (*DATES, "state")} == {**DATES, "state": "erased"}
    assert done.document["services"] == ["router", "intake", "notifier", "scorer"]
    assert f"Kafka may contain the words until {DATES['kafka_until']}" in done.err


def test_a_second_run_sends_nothing_and_ends_the_same_way(town: Town, chorus: Chorus) -> None:
    town.says = Desk(erased=True)
    done = chorus("erase", CASE, "--why", "again")
    assert (done.code, town.posts(f"/cases/{CASE}/commands")) == (0, [])
    assert "is erased already" in done.out
    assert DATES["backups_until"] in done.out


def test_an_inquiry_whose_message_is_not_decided_can_be_erased(town: Town, chorus: Chorus) -> None:
    town.says = Desk(known=False)
    assert chorus("erase", CASE, "--why", "x").code == 0


def test_a_supervisor_need_not_ask_the_services(town: Town, chorus: Chorus) -> None:
    town.says = desk = Desk()
    desk.forbidden = True
    done = chorus("erase", CASE, "--why", "x", "--json")
    assert (done.code, done.document["services"]) == (0, [])
    assert "Every service erases it when it reads of it" in done.err


@pytest.mark.parametrize(("status", "code"), [("refused", 4), ("pending", 3)])
def test_a_command_that_is_not_applied_fails(
    town: Town, chorus: Chorus, status: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.cli.desk_client.DECIDED_S", 0.1)
    town.says = Desk(status)
    done = chorus("erase", CASE, "--why", "x", "--json")
    assert (done.code, done.document["status"]) == (code, status)
