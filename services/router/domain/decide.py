"""The one decision that an input calls for."""

from services.router.domain.case import Case, fold, note
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Decision, Input
from services.router.domain.outputs.messages import messages
from services.router.domain.reactions import react
from services.router.domain.rules.preconditions import Facts, Refused
from services.router.domain.transitions import rule_for
from shared.contracts.ids import derived_id


def decide(case: Case, given: Input, directory: CityIndex) -> Decision:
    """Make the one decision that `given` calls for. Pure: the same case, input and directory give the same decision."""
    facts: Facts = []
    refusal = None
    try:
        facts = _facts(case, given, directory)
    except Refused as refused:
        refusal = refused.refusal
    then, more = react(fold(case, *facts))
    facts += more
    told, sequence = messages(case, then, given, facts, refusal, directory)
    note(then, case.n + 1, sequence, given.id, given.digest)
    return Decision(
        inquiry_id=given.inquiry_id,
        n=then.n,
        cause=given.id,
        type=given.type,
        digest=given.digest,
        decided_at=given.recorded_at,
        revision=directory.revision,
        facts=tuple(facts),
        messages=told,
        refusal=refusal,
        sequence=sequence,
        then=then,
    )


def told_apart(case: Case, given: Input) -> Input:
    """An input that carries the id of an earlier one but other bytes is another input, to be refused; not a repeat."""
    known = case.causes.get(given.id)
    if known is None or known[1] == given.digest:
        return given
    return given._replace(id=derived_id(given.id, given.digest), imitates=given.id)


def _facts(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The facts that the input itself makes; raises Refused."""
    if given.imitates is not None:
        raise Refused(
            "id-used-before",
            f"The id {given.origin or given.imitates!r} was used before, for another message.",
            "Give each message an id of its own; repeat a message with the same bytes.",
        )
    return rule_for(case, given)(case, given, directory)
