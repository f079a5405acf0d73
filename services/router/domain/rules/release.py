"""Release: users approve one exact version of the joint reply, refuse it, or the lead edits it before."""

from __future__ import annotations

from collections.abc import Iterator

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Author
from services.router.domain.reply import JointReply
from services.router.domain.rules.part_terms import policy_of
from services.router.domain.rules.preconditions import Facts, Refused, by, payload_of
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseApprove, CaseRefuseRelease
from shared.contracts.department_outbox import ReplyEdit


def release_when_composed(case: Case, directory: CityIndex) -> NewFact | None:
    """Ask for the approvals that the policies want; without any, or with all of them, release the reply as the answer."""
    reply = case.reply
    if reply is None or case.outdated or case.status == "answered":
        return None
    if case.pending is None:
        if reply is case.released:
            return None
        if approvers := approvers_needed(case, directory):
            return NewFact(facts.AwaitingRelease(reply.id, reply.version, reply.round, approvers))
    elif not case.pending.complete:
        return None
    elif reply is not case.released:
        return NewFact(facts.ReplyReleased(reply.id, reply.version))
    return NewFact(facts.Answered(reply.round, tuple(one.part_id for one in reply.paragraphs)))


def approvers_needed(case: Case, directory: CityIndex) -> int:
    """How many users must approve: the largest number among the policies of the parts, because all share one text."""
    return max((policy_of(case, part, directory).release.approvers for part in case.active_parts), default=0)


def approve(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record the approval of the version whose SHA-256 is given. Refuses another hash, authors, and a second approval."""
    command, reply = payload_of(given, CaseApprove), waiting_reply(case)
    if command.text_hash != reply.sha256:
        raise Refused(
            "stale-text",
            f"The hash {command.text_hash!r} is not the hash of version {reply.version}, the newest version of the reply.",
            "Read the reply again, and approve it with the hash that it has now.",
        )
    if set(command.files) != set(reply.files):
        raise Refused(
            "other-files",
            f"The approval names {len(command.files)} files; version {reply.version} of the reply has {len(reply.files)}.",
            f"Look at the files, and approve them with the text: {', '.join(reply.files) or 'name no files'}.",
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
    """Return one part of the reply, or all of them, to the departments, which write them again."""
    command, reply = payload_of(given, CaseRefuseRelease), waiting_reply(case)
    if command.part_id is not None and command.part_id not in [one.part_id for one in reply.paragraphs]:
        raise Refused(
            "part-not-in-reply",
            f"The part {command.part_id!r} is not in version {reply.version} of the reply.",
            "Name a part of the reply, or none to return all of them.",
        )
    refused = facts.ReleaseRefused(reply.id, reply.version, command.part_id)
    return [NewFact(refused, texts={"words": command.words}, private=by(given))]


def edit_reply(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Change opening, closing or order of a reply that is not released. Paragraphs stay as their departments wrote them."""
    edit, reply = payload_of(given, ReplyEdit), case.reply
    if reply is None or reply is case.released:
        raise Refused(
            "no-reply-to-edit",
            f"The inquiry {case.inquiry_id!r} has no joint reply that waits for its release.",
            "Edit the reply when its inquiry is awaiting-release.",
        )
    if given.department is not None and given.department != case.lead:
        raise Refused(
            "not-the-lead",
            f"The department {given.department!r} does not lead the inquiry {case.inquiry_id!r}.",
            f"Ask the lead, {case.lead!r}, to edit the reply.",
        )
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
    departments = [part.department for part in case.active_parts]
    if sorted(order) != sorted(departments):
        raise Refused(
            "wrong-order",
            f"The order {', '.join(order)!r} does not name each department of the reply once.",
            f"Name {', '.join(departments)} in the order of their paragraphs.",
        )


def waiting_reply(case: Case) -> JointReply:
    # The transition table refuses approvals and refusals of a case without a reply that waits.
    assert case.reply is not None
    return case.reply
