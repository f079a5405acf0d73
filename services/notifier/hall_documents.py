"""The documents of hall entries in the store, before and after masking."""

from datetime import datetime

from services.notifier.domain.hall import HallEntry, HallReply, UnmaskedEntry
from services.notifier.domain.publication import HallDecision, HallVersion
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ReplyAddendum, ReplyChange
from shared.store.mongo import Document


def entry_document(one: HallEntry) -> Document:
    return {
        "_id": one.inquiry_id,
        "n": one.n,
        "round": one.round,
        "answered_at": one.answered_at,
        "changed_at": one.changed_at,
        "language": one.language,
        "subject": one.subject,
        "body": one.body,
        "paragraphs": [part.model_dump() for part in one.paragraphs],
        "opening": one.opening,
        "closing": one.closing,
        "addenda": [addendum.model_dump(mode="json") for addendum in one.addenda],
        "changes": [change.model_dump(mode="json") for change in one.changes],
        "redactions": one.redactions,
        "is_outdated": one.is_outdated,
        "earlier": [_reply_document(reply) for reply in one.earlier],
    }


def entry(stored: Document) -> HallEntry:
    return HallEntry(
        inquiry_id=stored["inquiry_id"] if "inquiry_id" in stored else stored["_id"],
        n=stored["n"],
        round=stored["round"],
        answered_at=stored["answered_at"],
        language=stored["language"],
        subject=stored["subject"],
        body=stored["body"],
        paragraphs=tuple(Paragraph.model_validate(part) for part in stored["paragraphs"]),
        opening=stored.get("opening"),
        closing=stored.get("closing"),
        addenda=_addenda(stored),
        changes=tuple(ReplyChange.model_validate(change) for change in stored.get("changes", ())),
        redactions=stored.get("redactions", 0),
        changed_at=stored.get("changed_at"),
        is_outdated=stored.get("is_outdated", False),
        earlier=tuple(_reply(reply) for reply in stored.get("earlier", ())),
    )


def _reply_document(one: HallReply) -> Document:
    return {
        "round": one.round,
        "answered_at": one.answered_at,
        "paragraphs": [part.model_dump() for part in one.paragraphs],
        "opening": one.opening,
        "closing": one.closing,
        "addenda": [addendum.model_dump(mode="json") for addendum in one.addenda],
    }


def _reply(stored: Document) -> HallReply:
    return HallReply(
        stored["round"],
        stored["answered_at"],
        tuple(Paragraph.model_validate(part) for part in stored["paragraphs"]),
        stored["opening"],
        stored["closing"],
        _addenda(stored),
    )


def _addenda(stored: Document) -> tuple[ReplyAddendum, ...]:
    return tuple(ReplyAddendum.model_validate(addendum) for addendum in stored.get("addenda", ()))


def version_document(one: HallVersion) -> Document:
    """The document of a masked version. Its id is the decision that made it: the first masking of a reply counts."""
    about = {"inquiry_id": one.entry.inquiry_id, "sha256": one.sha256, "of": one.of}
    return entry_document(one.entry) | {"_id": f"{one.entry.inquiry_id}/{one.entry.n}"} | about


def version(stored: Document) -> HallVersion:
    return HallVersion(entry(stored), stored["sha256"], stored["of"])


def decision_document(one: HallDecision) -> Document:
    return one._asdict()


def decision(stored: Document) -> HallDecision:
    return HallDecision(**stored)


def unmasked_document(one: UnmaskedEntry, now: datetime) -> Document:
    """The document of a reply that waits for masking, due at once."""
    contact = one.contact.model_dump() if one.contact else None
    about = {"_id": unmasked_id(one.entry), "inquiry_id": one.entry.inquiry_id}
    return {**entry_document(one.entry), **about, "contact": contact, "attempts": 0, "due_at": now}


def unmasked_id(one: HallEntry) -> str:
    """Replies of several rounds may wait for masking at the same time. The first round has the id of former releases."""
    return one.inquiry_id if one.round == 1 else f"{one.inquiry_id}/{one.round}"


def unmasked_entry(stored: Document) -> UnmaskedEntry:
    contact = Contact.model_validate(stored["contact"]) if stored["contact"] else None
    return UnmaskedEntry(entry(stored), contact, stored["attempts"], stored.get("claim"))
