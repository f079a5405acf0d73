"""The one decision that an input calls for."""

from services.router.domain.case import Case, Decided, add, add_draft, copied, note
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import DRAFT, Decision, Input, Refusal
from services.router.domain.facts import Fact
from services.router.domain.outputs.case_events import event_of
from services.router.domain.outputs.messages import messages
from services.router.domain.reactions import MOST, reaction_to
from services.router.domain.rules.preconditions import Facts, Refused
from services.router.domain.sizes import too_large
from services.router.domain.transitions import rule_for
from services.router.domain.words import Draft, FactWords, Stated, committed, named_words
from shared.contracts.ids import derived_id


class _Making:
    """A decision while its facts are added, one by one; `case` is as the last of them makes it."""

    def __init__(self, case: Case, given: Input) -> None:
        self.case = copied(case)
        self.given = given
        self.n = case.n + 1
        self.facts: list[Fact] = []
        self.events: list[str] = []
        self.words: dict[str, str] = {}

    def add(self, one: Stated | Draft) -> None:
        if isinstance(one, Draft):
            self.words |= {f"{DRAFT}{one.part_id}/{field}": text for field, text in one.words.items()}
            add_draft(self.case, one.part_id, one.words["text"])
            return
        given, index = self.given, len(self.facts)
        fact = committed(one, index, given.salt)
        self.words |= named_words(index, one.texts, one.private)
        add(self.case, fact, FactWords(self.words, self.n, index))
        self.facts.append(fact)
        self.events.append(event_of(self.case, fact, given.recorded_at, given.actor).decode())

    def react(self, directory: CityIndex) -> None:
        """Add what follows from the state itself, until nothing more does."""
        for _ in range(MOST):
            if (one := reaction_to(self.case, directory)) is None:
                return
            self.add(one)
        names = [type(one).__name__ for one in self.facts]
        raise RuntimeError(f"the reactions to {self.case.inquiry_id} do not end: {names}")

    def refuse(self, refusal: Refusal) -> None:
        """Keep the sentences: they may quote what was written."""
        self.words |= {"refusal/reason": refusal.reason, "refusal/remedy": refusal.remedy}


def decide(case: Case, given: Input, directory: CityIndex) -> Decision:
    """Make the one decision that `given` calls for. Pure: the same case, input and directory give the same decision.

    One that would be too large to be sent or stored is a refusal instead.
    """
    making = _Making(case, given)
    refusal = None
    try:
        for one in _stated(case, given, directory):
            making.add(one)
    except Refused as refused:
        refusal = refused.refusal
        making.refuse(refusal)
    making.react(directory)
    decision = _decision(making, refusal, directory)
    if (excess := too_large(decision)) is None:
        return decision
    instead = _Making(case, given)
    instead.refuse(excess)
    return _decision(instead, excess, directory)


def _decision(making: _Making, refusal: Refusal | None, directory: CityIndex) -> Decision:
    given = making.given
    then = making.case
    note(then, given.id, Decided(making.n, given.digest, *given.at))
    told = messages(then, given, making.facts, making.events, making.words, refusal, directory)
    return Decision(
        inquiry_id=given.inquiry_id,
        n=making.n,
        cause=given.id,
        type=given.type,
        digest=given.digest,
        at=given.at,
        actor=given.actor,
        salt=given.salt,
        decided_at=given.recorded_at,
        revision=directory.revision,
        facts=tuple(making.facts),
        events=tuple(making.events),
        head=then.head,
        words=making.words,
        stored_messages=told.stored,
        picture=told.picture,
        refusal=refusal.code if refusal else None,
        messages=told.messages,
        then=then,
    )


def told_apart(case: Case, given: Input) -> Input:
    """An input that carries the id of an earlier one but other bytes is another input, to be refused; not a repeat.

    One whose digest is erased counts as a repeat.
    """
    known = case.causes.get(given.id)
    if known is None or known.digest is None or known.digest == given.digest:
        return given
    return given._replace(id=derived_id(given.id, given.digest), imitates=given.id)


def _stated(case: Case, given: Input, directory: CityIndex) -> Facts:
    """What the input itself makes; raises Refused."""
    if given.imitates is not None:
        raise Refused(
            "id-used-before",
            f"The id {given.origin or given.imitates!r} was used before, for another message.",
            "Give each message an id of its own; repeat a message with the same bytes.",
        )
    return rule_for(case, given)(case, given, directory)
