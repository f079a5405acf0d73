"""Makes the decision on one input."""

from services.router.domain.case import Case, DecidedInput
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import DRAFT, Decision, Input, Refusal
from services.router.domain.facts import Fact
from services.router.domain.fold import copy_of, fold_cause, fold_draft, fold_fact
from services.router.domain.outputs.case_events import event_of
from services.router.domain.outputs.messages import messages
from services.router.domain.reactions import REACTIONS_MAX, reaction_to
from services.router.domain.rules.preconditions import Facts, Refused
from services.router.domain.sizes import too_large
from services.router.domain.transitions import rule_for
from services.router.domain.words import Draft, FactWords, NewFact, with_commitments, words_by_place
from shared.contracts.ids import derived_id


class _DecisionBuilder:
    """Collects the facts, events and words of a decision; `case` is the case after the facts added so far."""

    def __init__(self, case: Case, given: Input) -> None:
        self.case = copy_of(case)
        self.case.recorded_at = given.recorded_at
        self.given = given
        self.n = case.n + 1
        self.facts: list[Fact] = []
        self.events: list[str] = []
        self.words: dict[str, str] = {}

    def add(self, one: NewFact | Draft) -> None:
        if isinstance(one, Draft):
            self.words |= {f"{DRAFT}{one.part_id}/{field}": text for field, text in one.words.items()}
            fold_draft(self.case, one.part_id, one.words["text"])
            return
        given, index = self.given, len(self.facts)
        fact = with_commitments(one, index, given.salt)
        self.words |= words_by_place(index, one.texts, one.private)
        fold_fact(self.case, fact, FactWords(self.words, self.n, index, given.user))
        self.facts.append(fact)
        self.events.append(event_of(self.case, fact, given.recorded_at, given.actor).decode())

    def add_reactions(self, directory: CityIndex) -> None:
        """Add the facts that follow from the state until none follows. Raises RuntimeError after REACTIONS_MAX."""
        for _ in range(REACTIONS_MAX):
            if (one := reaction_to(self.case, directory)) is None:
                return
            self.add(one)
        names = [type(one).__name__ for one in self.facts]
        raise RuntimeError(f"{self.case.inquiry_id} has more than {REACTIONS_MAX} reactions to one input: {names}")

    def refuse(self, refusal: Refusal) -> None:
        # The sentences are words and not fields of the decision, because they may quote what the sender wrote.
        self.words |= {"refusal/reason": refusal.reason, "refusal/remedy": refusal.remedy}


def decide(case: Case, given: Input, directory: CityIndex) -> Decision:
    """The decision on `given`. Pure: the same case, input and directory give the same decision.

    If it would be too large to send or to store, the input is refused instead.
    """
    builder = _DecisionBuilder(case, given)
    refusal = None
    try:
        for one in _facts_of(case, given, directory):
            builder.add(one)
    except Refused as refused:
        refusal = refused.refusal
        builder.refuse(refusal)
    builder.add_reactions(directory)
    decision = _decision(builder, refusal, directory)
    if (excess := too_large(decision)) is None:
        return decision
    builder = _DecisionBuilder(case, given)
    builder.refuse(excess)
    return _decision(builder, excess, directory)


def _decision(builder: _DecisionBuilder, refusal: Refusal | None, directory: CityIndex) -> Decision:
    given, case_after = builder.given, builder.case
    # The input of an erasure, and every later one: no salt and no digest, which would allow guessing their words.
    erased = case_after.status == "erased"
    digest = None if erased else given.digest
    fold_cause(case_after, given.id, DecidedInput(builder.n, digest, *given.at))
    output = messages(case_after, given, builder.facts, builder.events, builder.words, refusal, directory)
    return Decision(
        inquiry_id=given.inquiry_id,
        n=builder.n,
        cause=given.id,
        type=given.type,
        digest=digest,
        at=given.at,
        actor=given.actor,
        salt=None if erased else given.salt,
        decided_at=given.recorded_at,
        revision=directory.revision,
        facts=tuple(builder.facts),
        events=tuple(builder.events),
        head=case_after.head,
        words=builder.words,
        stored_messages=output.stored,
        picture=output.picture,
        refusal=refusal.code if refusal else None,
        user=given.user,
        messages=output.messages,
        case_after=case_after,
    )


def with_distinct_id(case: Case, given: Input) -> Input:
    """The input under an id of its own when its id belongs to an earlier input with other bytes; `decide` refuses it.

    An earlier input without a digest, which an erasure has deleted, counts as the same input.
    """
    known = case.causes.get(given.id)
    if known is None or known.digest is None or known.digest == given.digest:
        return given
    return given._replace(id=derived_id(given.id, given.digest), reused_id=given.id)


def _facts_of(case: Case, given: Input, directory: CityIndex) -> Facts:
    if given.reused_id is not None:
        raise Refused(
            "id-used-before",
            f"The id {given.origin or given.reused_id!r} was used before, for another message.",
            "Give each message an id of its own; repeat a message with the same bytes.",
        )
    return rule_for(case, given)(case, given, directory)
