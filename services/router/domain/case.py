"""What a case is: the state that its facts fold into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.facts import Fact

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
Status = Literal["unknown", "registered", "triage", "assigned", "in-progress", "answered"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")


class Part(NamedTuple):
    """One department's share; `text` is its contribution."""

    id: str
    department: str
    role: str
    due: facts.DueTexts
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
    inquiry: facts.Registered | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    status: Status = "unknown"
    unsettled: tuple[str | None, ...] = ()
    """What somebody must settle while the case is in triage: ids of parts, None for the whole inquiry."""
    round: int = 1
    rated: frozenset[int] = frozenset()
    active_parts_known: tuple[Part, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def weight(self) -> int:
        """How many characters its words take in memory, roughly."""
        texts = [part.text for part in self.parts.values() if part.text]
        words = len(self.inquiry.body) if self.inquiry else 0
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
        """The status as everybody outside knows it."""
        return "registered" if self.status == "unknown" else self.status

    @property
    def complete(self) -> bool:
        """Whether every duty is fulfilled, so that the parts can be joined."""
        parts = self.active_parts
        return bool(parts) and not self.unsettled and all(part.state == "contributed" for part in parts)


def _put(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_known = None
    _handle(case)


def _handle(case: Case) -> None:
    """The status of a case that departments handle, by how far they are; one in triage or answered stays so."""
    if case.unsettled:
        case.status = "triage"
    elif case.status != "answered":
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def _registered(case: Case, fact: facts.Registered) -> None:
    case.inquiry, case.status = fact, "registered"


def _triaged(case: Case, fact: facts.Triaged) -> None:
    """The whole inquiry, or one part of it, must be settled."""
    case.unsettled = (*(one for one in case.unsettled if one not in (None, fact.part_id)), fact.part_id)
    case.status = "triage"


def _assigned(case: Case, fact: facts.Assigned) -> None:
    case.unsettled = ()
    _handle(case)


def _offered(case: Case, fact: facts.Offered) -> None:
    _put(case, Part(fact.part_id, fact.department, fact.role, fact.due))


def _changed(case: Case, fact: facts.Changed) -> None:
    _put(case, case.parts[fact.part_id]._replace(role=fact.role))


def _accepted(case: Case, fact: facts.Accepted) -> None:
    _put(case, case.parts[fact.part_id]._replace(state="accepted"))


def _drafted(case: Case, fact: facts.Drafted) -> None:
    _put(case, case.parts[fact.part_id]._replace(text=fact.text))


def _contributed(case: Case, fact: facts.Contributed) -> None:
    _put(case, case.parts[fact.part_id]._replace(state="contributed", text=fact.text))


def _returned(case: Case, fact: facts.Returned) -> None:
    case.unsettled = (*case.unsettled, fact.part_id)
    _put(case, case.parts[fact.part_id]._replace(state="returned"))


def _withdrawn(case: Case, fact: facts.Withdrawn) -> None:
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)
    _put(case, case.parts[fact.part_id]._replace(state="withdrawn"))


def _answered(case: Case, fact: facts.Answered) -> None:
    case.status = "answered"


def _rated(case: Case, fact: facts.Rated) -> None:
    case.rated = case.rated | {fact.round}


def _unchanged(case: Case, fact: Fact) -> None:
    pass


FOLD: Mapping[type[Fact], Callable[[Case, Any], None]] = {
    facts.Registered: _registered,
    facts.Triaged: _triaged,
    facts.Assigned: _assigned,
    facts.Replied: _unchanged,
    facts.Answered: _answered,
    facts.Rated: _rated,
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Accepted: _accepted,
    facts.Drafted: _drafted,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Withdrawn: _withdrawn,
    facts.Released: _unchanged,
    facts.UnknownFact: _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def fold(case: Case, *more: Fact) -> Case:
    """The case with more facts; one of a later version that this one does not know changes nothing."""
    then = Case(*_fields(case))
    for fact in more:
        FOLD[type(fact)](then, fact)
    return then


def note(then: Case, n: int, sequence: int, cause: str, digest: str) -> Case:
    """Note the decision itself on what `fold` has just made of its facts."""
    then.n, then.sequence, then.causes = n, sequence, {**then.causes, cause: (n, digest)}
    return then
