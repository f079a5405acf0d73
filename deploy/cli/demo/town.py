"""The departments with which `chorus demo --full` plays, in the sample city or in another one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.failure import FAILED, Failure

DEPARTMENTS_MIN = 10
OFFICES_MIN, OFFICES_MAX = 2, 3
BUREAU = "market"


@dataclass(frozen=True)
class Town:
    """The names of all active departments, by code and language; a bureau, and offices to which it delegates.

    `lends` says that the offices are not below the bureau, and must be for the time of the run.
    """

    names: Mapping[str, Mapping[str, str]]
    bureau: str
    offices: Sequence[str]
    lends: bool

    @classmethod
    def of(cls, departments: Sequence[Mapping[str, Any]], lent: Collection[str] = ()) -> "Town":
        """From `GET /departments`; `lent` are offices that another run has lent. Raises Failure in too small a city."""
        active = {one["code"]: one for one in departments if not one["retired"] and one["kind"] != "imported"}
        if len(active) < DEPARTMENTS_MIN:
            raise Failure(FAILED, f"--full needs {DEPARTMENTS_MIN} departments; the city has {len(active)}.")
        names = {code: one["name"] for code, one in active.items()}
        below: dict[str, list[str]] = {}
        for code, one in active.items():
            if one["parent"] in active and code not in lent:
                below.setdefault(one["parent"], []).append(code)
        bureau = max(below, key=lambda code: len(below[code]), default=BUREAU)
        if len(below.get(bureau, ())) >= OFFICES_MIN:
            return cls(names, bureau, below[bureau][:OFFICES_MAX], lends=False)
        alone = [code for code, one in active.items() if one["parent"] is None and code not in below]
        free = [code for code in alone if active[code]["kind"] == "district"] or alone
        bureau = BUREAU if BUREAU in alone else alone[0]
        offices = [code for code in free if code != bureau][:OFFICES_MAX]
        return cls(names, bureau, offices, lends=True)
