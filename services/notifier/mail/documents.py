"""Deliveries and threads as documents of the store."""

from datetime import datetime

from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.notices import Notice, Offer, hidden
from services.notifier.domain.threads import Thread
from shared.contracts.resident_messages import ERASED
from shared.events.case_events import DueTimes
from shared.store.mongo import Document

NO_WORDS: Document = {"subject": None, "text": None}
NO_PICTURE: Document = {"picture": ""}
"""What an update unsets together with the words: only deliveries to gateways have a picture."""
OF_ERASURES = "erasure"
"""The `address` of the thread that tells a gateway to delete what it has: it has none."""


def delivery_document(notice: Notice, thread: str, now: datetime) -> Document:
    """A new delivery, due at once."""
    offer = notice.offer
    of_gateway = {} if notice.channel is None else {"channel": notice.channel, "picture": notice.picture}
    return {
        "_id": notice.id,
        "kind": notice.kind,
        "inquiry_id": notice.inquiry_id,
        "to": notice.to,
        "what": notice.what,
        "n": notice.n,
        "place": notice.place,
        "at": notice.at,
        "language": notice.language,
        "subject": notice.subject,
        "text": notice.text,
        "offer": {**offer._asdict(), "due": offer.due._asdict()} if offer else None,
        "thread": thread,
        "state": "waiting",
        "attempts": 0,
        "noted_at": now,
        "tried_from": now,
        "due_at": now,
        **of_gateway,
    }


def delivery(stored: Document) -> Delivery:
    offer = stored["offer"]
    notice = Notice(
        id=stored["_id"],
        kind=stored["kind"],
        inquiry_id=stored["inquiry_id"],
        to=stored["to"],
        what=stored["what"],
        n=stored["n"],
        place=stored["place"],
        at=stored["at"],
        language=stored["language"],
        subject=stored["subject"],
        text=stored["text"],
        offer=Offer(**{**offer, "due": DueTimes(**offer["due"])}) if offer else None,
        channel=stored.get("channel"),
        picture=stored.get("picture"),
    )
    return Delivery(
        notice=notice,
        state=stored["state"],
        attempts=stored["attempts"],
        noted_at=stored["noted_at"],
        tried_from=stored["tried_from"],
        thread=stored["thread"],
        due_at=stored.get("due_at"),
        sent_at=stored.get("sent_at"),
        mail=stored.get("mail"),
        words_until=stored.get("words_until"),
        error=stored.get("error"),
    )


def new_thread(notice: Notice, keys: MailKeys) -> Thread:
    """The thread of a notice, as it is before its first delivery."""
    address, channel = notice.to or "", notice.channel
    if channel is not None and notice.what == ERASED:
        key = mailbox = OF_ERASURES
    elif channel is not None:
        key = mailbox = keys.account(channel, address)
    else:
        key, mailbox = keys.address(address), keys.mailbox(address)
    id_ = f"{notice.inquiry_id}/{notice.kind}/{key}"
    return Thread(id_, notice.kind, notice.inquiry_id, key, mailbox, attempts=0, news=1, channel=channel)


def thread_document(thread: Thread, now: datetime) -> Document:
    """A new thread, due at once."""
    of_gateway = {} if thread.channel is None else {"channel": thread.channel}
    return {
        "_id": thread.id,
        "kind": thread.kind,
        "inquiry_id": thread.inquiry_id,
        "address": thread.address,
        "mailbox": thread.mailbox,
        "attempts": 0,
        "news": thread.news,
        "sending": [],
        "stopped": False,
        "due_at": now,
        **of_gateway,
    }


def thread(stored: Document) -> Thread:
    return Thread(
        id=stored["_id"],
        kind=stored["kind"],
        inquiry_id=stored["inquiry_id"],
        address=stored["address"],
        mailbox=stored["mailbox"],
        attempts=stored["attempts"],
        news=stored["news"],
        sending=tuple(stored["sending"]),
        stopped=stored["stopped"],
        subject_has_words=stored.get("subject_has_words"),
        claim=stored.get("claim"),
        due_at=stored.get("due_at"),
        channel=stored.get("channel"),
    )


def without_words(notice: Notice) -> Document:
    """The fields that replace words and address: a hidden address, for operators. Of an account nothing stays."""
    to = hidden(notice.to) if notice.to and notice.kind != "webhook" else None
    return {"to": to, **NO_WORDS}
