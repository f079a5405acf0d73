"""Release: users approve one exact version of the joint reply, refuse it, or the lead edits it before."""

from __future__ import annotations

from collections.abc import Iterator

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold.corrections import corrected_parts
from services.router.domain.part import Author
from services.router.domain.reply import JointReply
from services.router.domain.rules.joint_reply import ordered_parts
from services.router.domain.rules.part_terms import policy_of
from services.router.domain.rules.preconditions import (
    NOT_AWAITING,
    Facts,
    Refused,
    by,
    not_the_lead,
    payload_of,
)
from services.router.domain.rules.publication import is_automatic
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseApprove, CaseRefuseRelease
from shared.contracts.department_outbox import ReplyEdit


def release_when_composed(case: Case, directory: CityIndex) -> NewFact | None:
    """Ask for the approvals that the policies want; without any, or with all of them, release the reply as the answer."""
    reply = case.reply
    if reply is None or case.outdated:
        return None
    if case.status == "answered" and not reply.addendum:
        # A correction, or nothing.
        return None
    if case.pending is None:
        if case.reply_is_released:
            return None
        if approvers := approvers_needed(case, directory):
            return NewFact(facts.AwaitingRelease(reply.id, reply.version, reply.round, approvers))
    elif not case.pending.complete:
        return None
    elif not case.reply_is_released:
        return NewFact(facts.ReplyReleased(reply.id, reply.version))
    if reply.addendum:
        return NewFact(facts.Supplemented(reply.round, reply.addendum, reply.part_ids))
    answered = facts.Answered(reply.round, reply.part_ids)
    return NewFact(answered._replace(publication="automatic") if is_automatic(case, directory) else answered)


def approvers_needed(case: Case, directory: CityIndex) -> int:
    """How many users must approve: the largest number among the policies of the parts, because all share one text.

    An addendum needs as many as the reply: the parts that were released before count too.
    """
    parts = [part for part in case.active_parts if part.state == "contributed"]
    return max((policy_of(case, part, directory).release.approvers for part in parts), default=0)


def approve(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record the approval of the version whose SHA-256 is given. Refuses another hash, authors, and a second approval."""
    command, reply = payload_of(given, CaseApprove), waiting_reply(case, given)
    if command.text_hash != reply.sha256:
        raise Refused(
            "stale-text",
            f"The hash {command.text_hash!r} is not the hash of version {reply.version}, the newest version of the reply.",
            "Read the reply again, and approve it with the hash that it has now.",
        )
    # The desk writes the number of the user into each command; without one, two approvals could come from one person.
    if given.user is None:
        raise Refused("no-user", "The approval does not say which user gives it.", "Approve the reply at the desk.")
    if case.pending is not None and given.user in case.pending.approved_by:
        raise Refused(
            "approved-before",
            f"You have approved version {reply.version} of the reply before.",
            "Another user must give the next approval.",
        )
    if any(_may_be(given, one) for one in authors(case, reply)):
        raise Refused(
            "own-text",
            f"You or your department wrote a text of version {reply.version} of the reply.",
            "A user who wrote none of its texts must approve it.",
        )
    return [NewFact(facts.Approved(reply.id, reply.version), private=by(given))]


def authors(case: Case, reply: JointReply) -> Iterator[Author]:
    """Who wrote the texts of a joint reply that waits: its paragraphs, its opening, closing and order."""
    yield from reply.frame.authors
    for paragraph in reply.paragraphs:
        if (author := case.parts[paragraph.part_id].author) is not None:
            yield author


def _may_be(given: Input, author: Author) -> bool:
    """Whether the sender may have written this text. Behind a text from Kafka may be any user of the department."""
    if author.user is None:
        return author.department is not None and author.department == given.department
    return author.user == given.user


def refuse_release(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Return one part of the reply, or all of them, to the departments, which write them again.

    Of a correction, the released text stays.
    """
    command, reply = payload_of(given, CaseRefuseRelease), waiting_reply(case, given)
    returnable = corrected_parts(case) or [one.part_id for one in reply.paragraphs]
    if command.part_id is not None and command.part_id not in returnable:
        raise Refused(
            "part-not-in-reply",
            f"The part {command.part_id!r} is not in version {reply.version} of the reply, or has no text to release.",
            "Name a part whose text waits for its release, or none to return all of them.",
        )
    # Of a released reply, only the corrections that wait are refused, each by a fact of its own.
    parts = [command.part_id] if command.part_id is not None else corrected_parts(case) or [None]
    return [
        NewFact(facts.ReleaseRefused(reply.id, reply.version, one), texts={"words": command.words}, private=by(given))
        for one in parts
    ]


def edit_reply(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Change opening, closing or order of a reply that is not released. Paragraphs stay as their departments wrote them."""
    edit, reply = payload_of(given, ReplyEdit), case.reply
    if reply is None or case.reply_is_released:
        raise Refused(
            "no-reply-to-edit",
            f"The inquiry {case.inquiry_id!r} has no joint reply that waits for its release.",
            "Edit the reply when its inquiry is awaiting-release.",
        )
    if given.department is not None and given.department != case.lead:
        raise not_the_lead(case, given.department, "edit the reply")
    if edit.order is not None:
        _check_order(case, edit.order)
    texts: dict[str, str] = {name: text for name in facts.FRAME_PARTS if (text := getattr(edit, name))}
    removed = tuple(
        name for name in facts.FRAME_PARTS if getattr(edit, name) == "" and getattr(case.frame, name) is not None
    )
    edited = facts.ReplyEdited(reply.id, reply.version, given.department, edit.order or (), removed)
    return [NewFact(edited, texts=texts, private=by(given))]


def _check_order(case: Case, order: tuple[str, ...]) -> None:
    """Refuse an order that does not name each department of the reply once."""
    departments = [part.department for part in ordered_parts(case)]
    if sorted(order) != sorted(departments):
        raise Refused(
            "wrong-order",
            f"The order {', '.join(order)!r} does not name each department of the reply once.",
            f"Name {', '.join(departments)} in the order of their paragraphs.",
        )


def waiting_reply(case: Case, given: Input) -> JointReply:
    """The version that waits. In an answered case it is a correction; raises Refused when there is none."""
    if case.pending is None or case.reply is None:
        raise NOT_AWAITING.of(case, given)
    return case.reply
