"""One chaos run, from the first message to the audit."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pymongo.errors import PyMongoError

from tests.chaos.audit.auditor import audit
from tests.chaos.audit.capture import Accepted, Capture
from tests.chaos.audit.findings import Findings
from tests.chaos.gather import gather, still_to_do
from tests.chaos.report import report
from tests.chaos.town.blows import Striker
from tests.chaos.town.desk import Desk
from tests.chaos.town.messages import OFFICES, ResidentMessage, write_messages
from tests.chaos.town.offices import Office
from tests.chaos.town.residents import Residents
from tests.chaos.town.schedule import VICTIMS, WHOLE_FROM_KILLS, WHOLE_S, Schedule, make_schedule
from tests.chaos.town.stack import Town, town
from tests.chaos.town.visits import Visits
from tests.chaos.town.watch import Watch

SECONDS_A_KILL = 7.0
QUICKEST_A_SECOND = 25.0
LOOK_EVERY_S, STILL_S = 3.0, 1.5
SHOW_EVERY_S = 5.0


@dataclass(frozen=True)
class Plan:
    """The parameters of a run: residents write for at least `least_s`; `settle_s` is the time limit for all processing
    afterwards.
    """

    inquiries: int
    kills: int
    seed: int
    settle_s: float = 240.0
    seconds_a_kill: float = SECONDS_A_KILL
    victims: Sequence[str] = VICTIMS
    least_s: float = 0.0

    @property
    def seconds(self) -> float:
        """How long residents write."""
        least_s = WHOLE_S if self.kills >= WHOLE_FROM_KILLS else self.least_s
        return max(self.kills * self.seconds_a_kill, self.inquiries / QUICKEST_A_SECOND, least_s)


class People:
    """Everyone outside the system: residents, departments, the desk, and an observer."""

    def __init__(self, place: Town, messages: list[ResidentMessage]) -> None:
        self.messages = messages
        self.residents = Residents([place.urls["intake"]])
        self.offices = [Office(code, place.kafka, {one.mark: one for one in messages}) for code in OFFICES]
        self.desk = Desk(place.urls["router"], place.token)
        self.watch = Watch(place.kafka, self.residents.rate, self.residents.answer)

    def begin(self) -> None:
        """Start all threads."""
        for office in self.offices:
            office.begin()
        self.desk.begin()
        self.watch.begin()
        self.residents.begin()

    def write(self, seconds: float) -> None:
        """Send all messages, evenly over this many seconds."""
        began = time.monotonic()
        for at, message in enumerate(self.messages):
            time.sleep(max(0.0, began + seconds * at / len(self.messages) - time.monotonic()))
            self.residents.write(message)

    def end(self) -> None:
        """Stop all threads."""
        self.residents.finish()
        for office in self.offices:
            office.end()
        self.desk.end()
        self.watch.end()

    def standing(self) -> str:
        """A line of progress."""
        offers = sum(office.offers for office in self.offices)
        return (
            f"written {len(self.residents.sent)}, accepted {self.residents.accepted}, parts {offers}, "
            f"assigned by the desk {len(self.desk.promised)}, additions {len(self.residents.additions)}, "
            f"answered {len(self.watch.seen)}"
        )


def run(plan: Plan, folder: Path, schedule: Schedule | None = None, visiting: type[Visits] = Visits) -> dict[str, Any]:
    """A whole run in an empty folder; returns the report. The schedule comes from the plan's seed unless given."""
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"chaos {time.monotonic() - began:6.1f} s  {words}", file=sys.stderr, flush=True)

    say(f"{plan.inquiries} inquiries and {plan.kills} kills over {plan.seconds:.0f} s, seed {plan.seed}, in {folder}")
    with town(folder, plan.seed) as place:
        say("the stack is ready")
        people = People(place, write_messages(plan.inquiries, plan.seed))
        schedule = schedule or make_schedule(plan.kills, plan.seconds, plan.seed, plan.victims)
        striker = Striker(place, schedule.blows, say)
        visits = visiting(place, schedule.visits, say, folder, people.residents.doors)
        people.begin()
        striking = [threading.Thread(target=one.run, daemon=True) for one in (striker, visits)]
        for thread in striking:
            thread.start()
        over = threading.Event()
        threading.Thread(target=_show, args=(people, say, over), daemon=True).start()
        people.write(plan.seconds)
        for thread in striking:
            thread.join()
        say("the last blow is healed; everything may come to rest")
        rested = time.monotonic()
        capture, findings = _settle(place, people, plan, folder / "city", say)
        settled_s = time.monotonic() - rested
        over.set()
        people.end()
        say(f"came to rest in {settled_s:.1f} s: {people.standing()}")
    return report(plan.inquiries, capture, findings, striker.recovered_s, striker.struck) | {
        "seed": plan.seed,
        "killed_processes": striker.killed,
        "settled_s": round(settled_s, 1),
        "took_s": round(time.monotonic() - began, 1),
        "oddities": [*people.residents.oddities, *people.desk.oddities, *visits.oddities],
        "blows": striker.log,
        "visits": visits.log,
    }


def _show(people: People, say: Any, over: threading.Event) -> None:
    while not over.wait(SHOW_EVERY_S):
        say(people.standing())


def _settle(place: Town, people: People, plan: Plan, city: Path, say: Any) -> tuple[Capture, Findings]:
    """Wait until processing is complete, then audit repeatedly until nothing is missing or time is over."""
    until = time.monotonic() + plan.settle_s
    while True:
        _await_rest(place, people, plan, until)
        try:
            capture = _capture(place, people, city)
        except (httpx.HTTPError, PyMongoError, RuntimeError) as error:
            if time.monotonic() > until:
                raise
            say(f"nothing can be gathered yet: {type(error).__name__}: {str(error)[:150]}")
        else:
            findings = audit(capture)
            if findings.clean or time.monotonic() > until:
                return capture, findings
            say(f"{len(findings.found)} findings so far, like: {str(findings.found[0])[:150]}")
        time.sleep(LOOK_EVERY_S)


def _await_rest(place: Town, people: People, plan: Plan, until: float) -> None:
    """Cheaper than an audit: everyone has a reply and has rated it, no mail waits, and none arrived recently."""
    before: tuple[int, ...] = ()
    while time.monotonic() < until:
        now: tuple[int, ...]
        try:
            now = (len(people.watch.seen), still_to_do(place.mongodb), sum(1 for _ in place.mail.glob("*.eml")))
        except PyMongoError:
            now = ()  # the store is unavailable
        complete = people.residents.accepted == plan.inquiries and _all_rated(people)
        answers = sum(one.rounds for one in people.messages)
        if complete and now[:2] == (answers, 0) and now == before:
            return
        before = now
        time.sleep(STILL_S)


def _all_rated(people: People) -> bool:
    return all(one.complete for one in people.residents.sent.values())


def _capture(place: Town, people: People, city: Path) -> Capture:
    """Capture the data, with every ticket as its resident sees it."""
    accepted = [
        (
            Accepted(mark, sent.inquiry_ids, sent.message.email, sent.message.public),
            {one["inquiry_id"]: one["query_code"] for one in sent.receipts},
        )
        for mark, sent in people.residents.sent.items()
    ]
    promised = {**people.residents.promised, **people.desk.promised}
    return gather(accepted, promised, place.kafka, place.mongodb, place.mail, place.urls, city)
