"""What a case is: the state that its facts fold into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from shared.contracts.facts import Fact

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")


class Part(NamedTuple):
    """One department's share; `due` holds RFC 3339 texts by clock, `text` its contribution."""

    id: str
    department: str
    role: str
    due: Mapping[str, str]
    state: PartState = "offered"
    text: str | None = None

    @property
    def active(self) -> bool:
        """Whether the department has, or had and fulfilled, a duty here."""
        return self.state in ACTIVE


@dataclass(slots=True)
class Case:
    """A case after its first `n` decisions; `sequence` counts its events, `causes` the inputs it has decided.

    Nobody changes one that was given to him: `fold` changes a copy of its own, once for all facts of a decision.
    """

    inquiry_id: str
    n: int = 0
    sequence: int = 0
    causes: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    inquiry: Mapping[str, Any] | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    unsettled: tuple[str, ...] = ()
    in_triage: bool = False
    round: int = 1
    answered: bool = False
    rated: frozenset[int] = frozenset()
    active_parts_known: tuple[Part, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def weight(self) -> int:
        """How many characters its words take in memory, roughly."""
        texts = [part.text for part in self.parts.values() if part.text]
        words = len(self.inquiry["body"]) if self.inquiry else 0
        return 1_000 + words + 100 * len(self.causes) + sum(map(len, texts))

    @property
    def active_parts(self) -> tuple[Part, ...]:
        """The parts that count, lead first, then in the order of their numbers."""
        if self.active_parts_known is None:
            active = [part for part in self.parts.values() if part.active]
            self.active_parts_known = tuple(sorted(active, key=lambda part: part.role != "lead"))
        return self.active_parts_known

    @property
    def lead(self) -> str | None:
        """The department that leads now."""
        return next((part.department for part in self.active_parts if part.role == "lead"), None)

    @property
    def co_handlers(self) -> tuple[str, ...]:
        """The departments that handle it with the lead now."""
        return tuple(part.department for part in self.active_parts if part.role != "lead")

    @property
    def state(self) -> str:
        """The state in the words of the design."""
        if self.answered:
            return "answered"
        if self.in_triage or self.unsettled:
            return "triage"
        states = {part.state for part in self.active_parts}
        if not states:
            return "registered"
        return "assigned" if states == {"offered"} else "in-progress"

    @property
    def complete(self) -> bool:
        """Whether every duty is fulfilled, so that the parts can be joined."""
        parts = self.active_parts
        return (
            bool(parts) and not self.in_triage and not self.unsettled and all(p.state == "contributed" for p in parts)
        )


def _put(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_known = None


def _registered(case: Case, data: Mapping[str, Any]) -> None:
    case.inquiry = data


def _triaged(case: Case, data: Mapping[str, Any]) -> None:
    """The whole inquiry, or one part of it that somebody must settle."""
    part_id = data.get("part_id")
    others = tuple(one for one in case.unsettled if one != part_id)
    case.in_triage, case.unsettled = not part_id, (*others, part_id) if part_id else others


def _assigned(case: Case, data: Mapping[str, Any]) -> None:
    case.in_triage, case.unsettled = False, ()


def _offered(case: Case, data: Mapping[str, Any]) -> None:
    _put(case, Part(data["part_id"], data["department"], data["role"], data["due"]))


def _changed(case: Case, data: Mapping[str, Any]) -> None:
    _put(case, case.parts[data["part_id"]]._replace(role=data["role"]))


def _accepted(case: Case, data: Mapping[str, Any]) -> None:
    _put(case, case.parts[data["part_id"]]._replace(state="accepted"))


def _drafted(case: Case, data: Mapping[str, Any]) -> None:
    _put(case, case.parts[data["part_id"]]._replace(text=data["text"]))


def _contributed(case: Case, data: Mapping[str, Any]) -> None:
    _put(case, case.parts[data["part_id"]]._replace(state="contributed", text=data["text"]))


def _returned(case: Case, data: Mapping[str, Any]) -> None:
    part = case.parts[data["part_id"]]._replace(state="returned")
    _put(case, part)
    case.unsettled = (*case.unsettled, part.id)


def _withdrawn(case: Case, data: Mapping[str, Any]) -> None:
    part = case.parts[data["part_id"]]._replace(state="withdrawn")
    _put(case, part)
    case.unsettled = tuple(one for one in case.unsettled if one != part.id)


def _answered(case: Case, data: Mapping[str, Any]) -> None:
    case.answered = True


def _rated(case: Case, data: Mapping[str, Any]) -> None:
    case.rated = case.rated | {data["round"]}


def _unchanged(case: Case, data: Mapping[str, Any]) -> None:
    pass


FOLD: Mapping[str, Callable[[Case, Mapping[str, Any]], None]] = {
    "inquiry.registered": _registered,
    "inquiry.triaged": _triaged,
    "inquiry.assigned": _assigned,
    "inquiry.replied": _unchanged,
    "inquiry.answered": _answered,
    "inquiry.rated": _rated,
    "part.offered": _offered,
    "part.changed": _changed,
    "part.accepted": _accepted,
    "part.drafted": _drafted,
    "part.contributed": _contributed,
    "part.returned": _returned,
    "part.withdrawn": _withdrawn,
    "case.released": _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def fold(case: Case, *facts: Fact) -> Case:
    """The case with more facts; one of a later version that this one does not know changes nothing."""
    then = Case(*_fields(case))
    for fact in facts:
        FOLD.get(fact.type, _unchanged)(then, fact.data)
    return then


def note(then: Case, n: int, sequence: int, cause: str, digest: str) -> Case:
    """Note the decision itself on what `fold` has just made of its facts."""
    then.n, then.sequence, then.causes = n, sequence, {**then.causes, cause: (n, digest)}
    return then
