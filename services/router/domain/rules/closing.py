"""A coordinator ends the dialogue with a final answer, after the resident has used the right to reopen it."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import OPEN
from services.router.domain.rules.preconditions import Facts, Refused, by, payload_of
from services.router.domain.rules.reopening import may_reopen, policy_of_answer
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseClose


def close(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Close an inquiry that nobody works on, with a reason for the resident. Refuses while a rating can still reopen it."""
    command = payload_of(given, CaseClose)
    if case.released is None:
        raise Refused(
            "never-answered",
            f"The inquiry {case.inquiry_id!r} has no answer yet, so it cannot be closed with a final one.",
            "Assign the inquiry to departments that answer it.",
        )
    if case.waits_for_addendum:
        raise Refused(
            "addendum-waits",
            f"A late contribution to {case.inquiry_id!r} waits for its release as an addendum.",
            "Close the inquiry when the addendum is released.",
        )
    if working := [one.department for one in (*case.active_parts, *case.delegated_parts) if one.state in OPEN]:
        raise Refused(
            "departments-at-work",
            f"The inquiry {case.inquiry_id!r} has an open part of {', '.join(map(repr, working))}.",
            "Wait for the answer, or withdraw the part with the command `withdraw-part`.",
        )
    if _may_still_be_reopened(case, given.recorded_at, directory):
        raise Refused(
            "reopening-possible",
            f"The resident of {case.inquiry_id!r} may still reopen it: neither the limit of the policy nor its time is over.",
            "Close it when the resident is content, or when its policy no longer reopens it.",
        )
    return [NewFact(facts.Closed("final-answer"), texts={"why": command.why}, private=by(given))]


def _may_still_be_reopened(case: Case, at: str, directory: CityIndex) -> bool:
    """Whether the resident has a right left: to rate this answer, or an answer of the round that triage decides about."""
    if case.is_answered:
        return case.round not in case.rated and may_reopen(case, at, directory)
    policy = policy_of_answer(case, directory)
    return policy is not None and case.round <= policy.reopening.limit
