"""Retires a department: its open parts go back to triage, each by a `case.recall-part` input of its case."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.router.desk.city_revisions import CityDesk, required
from services.router.desk.commands import Commands
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.part import OPEN, Part
from services.router.domain.staff import StaffUser
from services.router.stores.store import RouterStore
from shared.city import City, Department, retire
from shared.contracts import ids
from shared.contracts.case_commands import CaseRecallPart
from shared.http.problems import Problem, shown
from shared.service.city_feed import CityFeed
from shared.store.mongo import find_by

REASON = "department-retired"
NOBODY = "operator"
"""Who recalls a part that a process finds open later, by itself."""
RECALL_EVERY_S = 5.0
CASES_AT_ONCE = 200


@dataclass
class Retirement:
    """Safe to repeat: retiring a retired department changes nothing, and the id of a recall is derived from its part."""

    city_desk: CityDesk
    commands: Commands
    store: RouterStore
    city: CityFeed[CityIndex]

    async def retire(self, code: str, why: str, who: StaffUser, by: str) -> tuple[City, int]:
        """Retire a department; returns the city and the number of parts that this call recalled.

        The revision and these recalls record who retired it; the router itself recalls what is left.

        Raises Problem 404 for an unknown code, 409 before the first city is applied.
        """

        def change(current: City | None) -> City:
            city = required(current)
            if city.department(code) is None:
                raise Problem(404, f"There is no department {shown(code)}; `chorus department list` shows them.")
            return retire(city, code, why)

        city = await self.city_desk.revise(change, who)
        return city, await self.recall(city, who, by)

    async def keep_parts_recalled(self) -> None:
        """Recall open parts of retired departments every RECALL_EVERY_S. Runs forever.

        A router that has not read the revision yet may offer one more part, and a crash may leave some open.
        """
        while True:
            if self.city.city is not None:
                await self.recall(self.city.city)
            await asyncio.sleep(RECALL_EVERY_S)

    async def recall(self, city: City, who: StaffUser | None = None, by: str = NOBODY) -> int:
        """Recall every open part of retired departments in the name of `by`; returns the number of new commands."""
        return sum([await self._recall(one, who, by) for one in city.departments if one.retired])

    async def _recall(self, department: Department, who: StaffUser | None, by: str) -> int:
        count, after = 0, ""
        while found := await self.store.cases.open_with(department.code, after, CASES_AT_ONCE):
            after = found[-1]
            cases = await self.store.decisions.reload(found)
            commands = dict(command(case, part, department, by) for case, part in open_parts(cases, department.code))
            entered = await find_by(self.commands.ledger.entries, "_id", sorted(commands), ["_id"])
            fresh = commands.keys() - {one["_id"] for one in entered}
            count += sum(await asyncio.gather(*(self._enter(commands[id_], id_, who) for id_ in fresh)))
        return count

    async def _enter(self, recall: CaseRecallPart, id_: str, who: StaffUser | None) -> bool:
        """Enter a recall; returns False when another process entered it at the same moment, under another name."""
        try:
            await self.commands.enter(recall.inquiry_id, recall, id_, who)
        except Problem:
            return False
        return True


def open_parts(cases: Mapping[str, Case], code: str) -> Sequence[tuple[Case, Part]]:
    return [(c, p) for c in cases.values() for p in c.parts.values() if p.department == code and p.state in OPEN]


def command(case: Case, part: Part, department: Department, by: str) -> tuple[str, CaseRecallPart]:
    """The command that recalls this part, and its id, which is the same in every process and at every repeat."""
    why = "The department is retired" + (f": {department.retired_why}" if department.retired_why else ".")
    given = CaseRecallPart(inquiry_id=case.inquiry_id, part_id=part.id, reason=REASON, why=why, by=by)
    return ids.named_id(f"recall/{part.id}"), given
