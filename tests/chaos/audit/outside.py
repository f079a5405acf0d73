"""External effects: mails, each for one event, and the entries of the hall."""

from collections import Counter

from tests.chaos.audit.capture import Capture, Record
from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings

BEHIND = {
    "registered": "inquiry.registered",
    "assigned": "inquiry.assigned",
    "replied": "inquiry.replied",
    "answered": "inquiry.answered",
    "link": "inquiry.link-requested",
    "asked": "part.asked",
    "reminded": "inquiry.reminded",
    "extended": "part.extended",
    "reopened": "inquiry.reopened",
    "rating-reminder": "inquiry.rating-reminded",
    "closed": "inquiry.closed",
}
"""The mails to residents, and the event of each."""


def check_told(case: Case, findings: Findings) -> None:
    """Every event for residents has one resident message, with the address."""
    for what, kind in BEHIND.items():
        told, behind = case.told_of(what), case.events_of(kind)
        if len(told) < len(behind):
            findings.lost(case.inquiry_id, f"{len(behind)} times {kind}, told {len(told)} times as {what!r}")
        if len(told) > len(behind):
            findings.double(case.inquiry_id, f"{len(behind)} times {kind}, told {len(told)} times as {what!r}")
        for one in told:
            address = (one.data.get("contact") or {}).get("email")
            if case.accepted is not None and address != case.accepted.email:
                findings.wrong(case.inquiry_id, f"{what!r} is told to {address}, who is not who wrote in")


def check_mails(capture: Capture, cases: dict[str, Case], findings: Findings) -> None:
    """One mail for each resident message and each part with an address; no others."""
    wanted: dict[str, tuple[Case, Record, str]] = {}
    for case in cases.values():
        for what in BEHIND:
            for told in case.told_of(what):
                if address := (told.data.get("contact") or {}).get("email"):
                    wanted[told.id] = case, told, address
        for offered in case.events_of("part.offered"):
            if address := capture.addresses.get(offered.data["department"]):
                wanted[offered.id] = case, offered, address
    sent = Counter(mail.event for mail in capture.mails)
    findings.repeated["mails"] += sum(times - 1 for times in sent.values())
    for id_, (case, record, address) in wanted.items():
        if id_ not in sent:
            findings.lost(case.inquiry_id, f"no mail to {address} for {record.data.get('what', record.kind)!r} {id_}")
    for mail in capture.mails:
        if mail.event not in wanted:
            findings.double("", f"a mail to {mail.to} for {mail.event}, which nobody decided")
        elif mail.to != wanted[mail.event][2]:
            findings.wrong(wanted[mail.event][0].inquiry_id, f"the mail {mail.event} went to {mail.to}")


def check_hall(capture: Capture, cases: dict[str, Case], findings: Findings) -> None:
    """Each answered public inquiry is in the hall once; no others."""
    shown = Counter(capture.hall)
    for inquiry_id, times in shown.items():
        if times > 1:
            findings.double(inquiry_id, f"the hall shows it {times} times")
    for case in cases.values():
        public = case.accepted is not None and case.accepted.public
        if public and case.events_of("inquiry.answered") and case.inquiry_id not in shown:
            findings.lost(case.inquiry_id, "it is public and answered, and the hall does not show it")
        if case.inquiry_id in shown and not (public and case.events_of("inquiry.answered")):
            findings.wrong(case.inquiry_id, "the hall shows it although it is not public, or not answered")
