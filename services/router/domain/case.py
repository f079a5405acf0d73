"""What a case is: the state that its facts fold into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.facts import Fact

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")


class Part(NamedTuple):
    """One department's share; `text` is its contribution."""

    id: str
    department: str
    role: str
    due: facts.DueTimes
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


def _registered(case: Case, fact: facts.Registered) -> None:
    case.inquiry = fact


def _triaged(case: Case, fact: facts.Triaged) -> None:
    """The whole inquiry, or one part of it that somebody must settle."""
    others = tuple(one for one in case.unsettled if one != fact.part_id)
    case.in_triage, case.unsettled = not fact.part_id, (*others, fact.part_id) if fact.part_id else others


def _assigned(case: Case, fact: facts.Assigned) -> None:
    case.in_triage, case.unsettled = False, ()


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
    _put(case, case.parts[fact.part_id]._replace(state="returned"))
    case.unsettled = (*case.unsettled, fact.part_id)


def _withdrawn(case: Case, fact: facts.Withdrawn) -> None:
    _put(case, case.parts[fact.part_id]._replace(state="withdrawn"))
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)


def _answered(case: Case, fact: facts.Answered) -> None:
    case.answered = True


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
