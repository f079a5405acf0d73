"""Publication: what the hall shows is a decision of its own, about one exact masked version.

The notifier masks. The router knows a masked version by its SHA-256 only, and never reads its text.
"""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.hall import HallState
from services.router.domain.rules.part_terms import policy_of
from services.router.domain.rules.preconditions import Facts, Refused, by, payload_of
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseHide, CasePublish, CaseRedact
from shared.contracts.resident_inputs import HallReported


def is_automatic(case: Case, directory: CityIndex) -> bool:
    """Whether the policies of all parts publish this inquiry without a review."""
    if case.inquiry is None or not case.inquiry.shown_in_hall:
        return False
    return all(policy_of(case, part, directory).publication == "automatic" for part in case.active_parts)


def publish_when_released(case: Case, directory: CityIndex) -> NewFact | None:
    """Publish what was just released or changed, if the policy at its release said so and no person hid the inquiry.

    With an addendum, the policies of its departments count too.
    """
    if not case.hall.due or case.hall.is_hidden:
        return None
    if case.addenda_of_round and not is_automatic(case, directory):
        return None
    return NewFact(facts.HallPublished(case.round, automatic=True))


def publish(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Show the masked version with this hash, and no other. A version that was hidden needs a reason to be shown again."""
    command, hall = payload_of(given, CasePublish), _hall_of(case)
    _check_not_redacted(hall, command.text_hash)
    if hall.published == command.text_hash and not hall.reports:
        raise Refused(
            "published-before", "The hall shows this version already.", "No action is needed, unless it is reported."
        )
    if command.text_hash in hall.hidden and hall.is_hidden and command.why is None:
        raise Refused(
            "hidden-before",
            "This version was hidden after it was read.",
            "Read in the case why it was hidden, and write in `why` why it is published again.",
        )
    texts = {"text_hash": command.text_hash} | ({} if command.why is None else {"why": command.why})
    return [NewFact(facts.HallPublished(case.round), texts=texts, private=by(given))]


def hide(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Take the inquiry out of the hall, whichever version it shows: who hides must not lose a race against a publication."""
    command, hall = payload_of(given, CaseHide), _hall_of(case)
    if hall.is_hidden and (command.text_hash is None or command.text_hash in hall.hidden):
        raise Refused("hidden-before", "The hall does not show this inquiry already.", "No action is needed.")
    texts = {"why": command.why} | ({} if command.text_hash is None else {"text_hash": command.text_hash})
    return [NewFact(facts.HallHidden(case.round), texts=texts, private=by(given))]


def redact(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Hide more words of the masked version with this hash. The version without them takes its place, shown or waiting."""
    command, hall = payload_of(given, CaseRedact), _hall_of(case)
    _check_not_redacted(hall, command.text_hash)
    texts = {"text_hash": command.text_hash, "words": command.find}
    if command.why is not None:
        texts["why"] = command.why
    return [NewFact(facts.HallRedacted(case.round), texts=texts, private=by(given))]


def report(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record what a reader of the hall reports about an entry. Refuses a report about an inquiry that the hall does not show."""
    if not case.hall.shown:
        raise Refused("not-in-hall", "The hall does not show this inquiry.", "No action is needed.")
    words = payload_of(given, HallReported).words
    return [NewFact(facts.Reported(case.round), texts={} if words is None else {"words": words})]


def _hall_of(case: Case) -> HallState:
    """The decisions about the hall. Raises Refused for an inquiry that the hall must never show, or not yet."""
    if case.inquiry is None or not case.inquiry.shown_in_hall:
        raise Refused(
            "not-public",
            f"The resident has not agreed to publish the inquiry {case.inquiry_id!r}.",
            "Publish inquiries that `chorus hall list` shows.",
        )
    if case.released is None:
        raise Refused(
            "not-released",
            f"No reply to the inquiry {case.inquiry_id!r} is released yet.",
            "Publish inquiries that `chorus hall list` shows.",
        )
    return case.hall


def _check_not_redacted(hall: HallState, text_hash: str) -> None:
    if text_hash in hall.redacted:
        raise Refused(
            "stale-text",
            f"Words of the version with the hash {text_hash!r} were hidden since.",
            "Read the entry again with `chorus hall list`, and name the hash that it has now.",
        )
