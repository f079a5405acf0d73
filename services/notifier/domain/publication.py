"""Which masked version of an inquiry the hall shows: a pure function of the versions and of the decisions of reviewers.

The result depends neither on the order of arrival nor on repeats. A decision about a version that is not here yet has no
effect until the version is; no other version takes its place.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, NamedTuple

from services.notifier.domain.hall import HallEntry, HallReply
from shared.contracts.resident_messages import Paragraph, ResidentTold
from shared.masking.masking import MARK

HallState = Literal["waiting", "published", "hidden"]
DECIDED = ("published", "hidden", "redacted")


class HallDecision(NamedTuple):
    """The n-th decision of a case says what the hall shows.

    `sha256` names the version; a publication without one is that of the version masked of the same decision's reply.
    """

    n: int
    what: str
    sha256: str | None = None
    find: str | None = None


@dataclass(frozen=True, slots=True)
class HallVersion:
    """A masked entry and its hash. `of` is the hash of the version from which a redaction made it."""

    entry: HallEntry
    sha256: str
    of: str | None = None


class HallOutcome(NamedTuple):
    """What the hall shows of an inquiry, its newest version, and what became of that one."""

    shown: HallVersion | None
    newest: HallVersion | None
    state: HallState


def decision_of(told: ResidentTold, n: int) -> HallDecision | None:
    """The decision in a message; None when it decides nothing about the hall."""
    if told.hall is None or told.what not in DECIDED:
        return None
    return HallDecision(n, told.what, told.hall.sha256, told.hall.find)


def version_of(entry: HallEntry, of: str | None = None) -> HallVersion:
    return HallVersion(entry, sha256_of(entry), of)


def sha256_of(entry: HallEntry) -> str:
    """The SHA-256 of all that the hall shows, as compact JSON in UTF-8. A version is never the same as one before it."""
    shown = {
        "inquiry_id": entry.inquiry_id,
        "round": entry.round,
        "language": entry.language,
        "subject": entry.subject,
        "body": entry.body,
        "opening": entry.opening,
        "paragraphs": [one.model_dump(mode="json") for one in entry.paragraphs],
        "closing": entry.closing,
        "changes": [one.model_dump(mode="json") for one in entry.changes],
        "redactions": entry.redactions,
    }
    if entry.addenda:
        # Without addenda, the hash is the one that decisions before them name.
        shown["addenda"] = [one.model_dump(mode="json") for one in entry.addenda]
    return sha256(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def redactions(decisions: Iterable[HallDecision], versions: Iterable[HallVersion]) -> list[HallVersion]:
    """The versions that redactions make and that are not among `versions` yet, in the order of the decisions."""
    known = {one.sha256: one for one in versions}
    numbers = {one.entry.n for one in known.values() if one.of is not None}
    made = []
    for one in sorted(decisions, key=lambda one: one.n):
        if one.what == "redacted" and one.n not in numbers and one.sha256 in known and one.find:
            version = redacted(known[one.sha256], one.n, one.find)
            known[version.sha256] = version
            made.append(version)
    return made


def redacted(version: HallVersion, n: int, find: str) -> HallVersion:
    """The version without these words, in every text but the departments' names."""

    def cut(text: str | None) -> str | None:
        return None if text is None else text.replace(find, MARK)

    def cut_all(paragraphs: Iterable[Paragraph]) -> tuple[Paragraph, ...]:
        return tuple(one.model_copy(update={"text": cut(one.text)}) for one in paragraphs)

    entry = version.entry
    addenda = tuple(
        one.model_copy(
            update={"paragraphs": cut_all(one.paragraphs), "opening": cut(one.opening), "closing": cut(one.closing)}
        )
        for one in entry.addenda
    )
    changes = tuple(one.model_copy(update={"text": cut(one.text)}) for one in entry.changes)
    made = replace(
        entry,
        n=n,
        subject=entry.subject.replace(find, MARK),
        body=entry.body.replace(find, MARK),
        opening=cut(entry.opening),
        closing=cut(entry.closing),
        paragraphs=cut_all(entry.paragraphs),
        addenda=addenda,
        changes=changes,
        redactions=entry.redactions + 1,
    )
    return version_of(made, version.sha256)


def outcome(decisions: Sequence[HallDecision], versions: Sequence[HallVersion]) -> HallOutcome:
    """What the hall shows after these decisions, given all versions, those that redactions made included."""
    by_hash: Mapping[str, HallVersion] = {one.sha256: one for one in versions}
    by_number = {(one.entry.n, one.of is not None): one for one in versions}
    shown: HallVersion | None = None
    hidden_at, published_at = 0, 0
    for one in sorted(decisions, key=lambda one: one.n):
        match one.what:
            case "published":
                found = by_number.get((one.n, False)) if one.sha256 is None else by_hash.get(one.sha256)
                if found is not None:
                    shown, published_at = found, one.n
            case "hidden":
                shown, hidden_at = None, one.n
            case "redacted" if shown is not None and shown.sha256 == one.sha256:
                shown = by_number.get((one.n, True))
    newest = max(versions, key=lambda one: one.entry.n, default=None)
    if newest is not None and shown is not None and shown.sha256 == newest.sha256:
        return HallOutcome(shown, newest, "published")
    hidden = newest is not None and hidden_at > max(newest.entry.n, published_at)
    return HallOutcome(shown, newest, "hidden" if hidden else "waiting")


def earlier_replies(
    round_: int, decisions: Sequence[HallDecision], versions: Sequence[HallVersion]
) -> tuple[HallReply, ...]:
    """The replies of the rounds before this one that the hall shows, in order: each round has versions of its own."""
    found: list[HallReply] = []
    for number in sorted({one.entry.round for one in versions if one.entry.round < round_}):
        of_round = [one for one in versions if one.entry.round == number]
        if (shown := outcome(decisions, of_round).shown) is not None:
            answered_at = min(one.entry.answered_at for one in of_round)
            found.append(replace(shown.entry.own_reply, answered_at=answered_at))
    return tuple(found)


def is_outdated(found: HallOutcome) -> bool:
    """Whether the reply was corrected, retracted or supplemented after the version that the hall shows."""
    shown, newest = found.shown, found.newest
    if shown is None or newest is None or shown.entry.round != newest.entry.round:
        return False
    kinds = ((newest.entry.changes, shown.entry.changes), (newest.entry.addenda, shown.entry.addenda))
    return any(len(now) > len(before) for now, before in kinds)
