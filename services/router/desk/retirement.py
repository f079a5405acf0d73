"""Retiring a department: whatever is open there goes back to triage, case by case, by an input on the log of each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import Commands
from services.router.domain.case import OPEN, Case, Part
from services.router.domain.city_index import CityIndex
from services.router.stores.store import RouterStore
from shared.city import City, Department, retire
from shared.contracts import ids
from shared.contracts.inputs import CaseRecallPart
from shared.http.problems import Problem, shown
from shared.service.city_feed import CityFeed
from shared.store.mongo import find_by

REASON = "department-retired"
RECALL_EVERY_S = 5.0
CASES = 200


@dataclass
class Retirement:
    """Everything here is safe to repeat: a retired department stays so, and each of its parts is recalled by one input."""

    city_desk: CityDesk
    commands: Commands
    store: RouterStore
    city: CityFeed[CityIndex]

    async def retire(self, code: str, why: str) -> tuple[City, int]:
        """Retire it in the directory; returns the city, and how many parts were sent back to triage now."""

        def change(current: City | None) -> City:
            if current is None:
                raise Problem(409, "No city has been applied yet; apply one first.")
            if current.department(code) is None:
                raise Problem(404, f"There is no department {shown(code)}; `chorus department list` shows them.")
            return retire(current, code, why)

        city = await self.city_desk.revise(change)
        return city, await self.recall(city)

    async def keep_parts_recalled(self) -> None:
        """Look again and again; run it for ever.

        A router that did not know yet may have offered one more part, and a crash may have left some.
        """
        while True:
            if self.city.city is not None:
                await self.recall(self.city.city)
            await asyncio.sleep(RECALL_EVERY_S)

    async def recall(self, city: City) -> int:
        """Have every open part of a retired department recalled; returns how many inputs that took."""
        return sum([await self._recall(one) for one in city.departments if one.retired])

    async def _recall(self, department: Department) -> int:
        count, after = 0, ""
        while found := await self.store.cases.open_with(department.code, after, CASES):
            after = found[-1]
            cases = await self.store.decisions.reload(found)
            commands = dict(command(case, part, department) for case, part in open_parts(cases, department.code))
            there = await find_by(self.commands.ledger.entries, "_id", sorted(commands), ["_id"])
            fresh = commands.keys() - {one["_id"] for one in there}
            await asyncio.gather(*(self.commands.enter(commands[id_].inquiry_id, commands[id_], id_) for id_ in fresh))
            count += len(fresh)
        return count


def open_parts(cases: Mapping[str, Case], code: str) -> Sequence[tuple[Case, Part]]:
    """The parts that this department still owes something on."""
    return [(c, p) for c in cases.values() for p in c.parts.values() if p.department == code and p.state in OPEN]


def command(case: Case, part: Part, department: Department) -> tuple[str, CaseRecallPart]:
    """The one input by which this part goes back, whoever enters it, however often."""
    why = "The department is retired" + (f": {department.retired_why}" if department.retired_why else ".")
    given = CaseRecallPart(inquiry_id=case.inquiry_id, part_id=part.id, reason=REASON, why=why)
    return ids.named_id(f"recall/{part.id}"), given
