"""Every part reached its department once, and the reply has each department's text once."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from tests.chaos.audit.capture import PREFIX
from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings


def check_offers(case: Case, findings: Findings) -> None:
    """Every offered part is in its department's inbox under one id, and in no other inbox."""
    offers: dict[str, set[str]] = defaultdict(set)
    places: dict[str, set[str]] = defaultdict(set)
    for one in case.inbox:
        if one.kind == "part.offered":
            offers[one.data["part_id"]].add(one.id)
            places[one.data["part_id"]].add(one.topic)
    wanted: dict[str, str] = {}
    for event in case.events_of("part.offered"):
        part_id = event.data["part_id"]
        if part_id in wanted:
            findings.double(case.inquiry_id, f"the part {part_id} stands twice on the record")
        wanted[part_id] = f"departments.{event.data['department']}.inbox"
    for decision in case.decisions:
        for fact in decision.facts_read:
            if fact.get("type") == f"{PREFIX}part.offered":
                wanted.setdefault(fact["part_id"], f"departments.{fact['department']}.inbox")
    for part_id, topic in wanted.items():
        if topic not in places[part_id]:
            findings.lost(case.inquiry_id, f"the part {part_id} is not in {topic}")
        if elsewhere := places[part_id] - {topic}:
            findings.double(case.inquiry_id, f"the part {part_id} is also in {', '.join(sorted(elsewhere))}")
        if len(offers[part_id]) > 1:
            findings.double(case.inquiry_id, f"the part {part_id} was offered under {len(offers[part_id])} ids")
    for part_id in offers.keys() - wanted.keys():
        findings.double(case.inquiry_id, f"the part {part_id} was offered and is not on the record")


def check_answer(case: Case, ticket: Mapping[str, Any] | None, findings: Findings) -> None:
    """The reply of each round was sent under one id; its paragraphs and the ticket's are the departments' texts."""
    rounds = case.rounds or [1]
    for round_ in rounds:
        _check_round(case, round_, ticket if round_ == rounds[-1] else None, findings)
    if ticket is not None:
        _check_rounds_shown(case, rounds, ticket, findings)


def _check_round(case: Case, round_: int, ticket: Mapping[str, Any] | None, findings: Findings) -> None:
    answered = [one for one in case.events_of("inquiry.answered") if one.data.get("round", 1) == round_]
    told = [one for one in case.told_of("answered") if one.data["case"].get("round", 1) == round_]
    parts, where = case.parts_of(round_), "" if round_ == 1 else f" in round {round_}"
    if len(answered) > 1 or len(told) > 1:
        findings.double(case.inquiry_id, f"it was answered {len(answered)} times and told so {len(told)} times{where}")
    if not answered or not told:
        findings.lost(case.inquiry_id, f"it has no answer{where}; its parts are {', '.join(parts) or 'not there'}")
        return
    if sorted(answered[0].data["parts"]) != sorted(parts):
        findings.wrong(case.inquiry_id, f"its answer{where} joins {answered[0].data['parts']}, not {list(parts)}")
    wanted = Counter(_written(case, parts).items())
    for one in told:
        _compare(case, f"its answer{where}", one.data["case"].get("reply"), wanted, findings)
    if ticket is not None:
        _compare(case, "the ticket that its resident sees", ticket.get("reply"), wanted, findings)


def _check_rounds_shown(case: Case, rounds: list[int], ticket: Mapping[str, Any], findings: Findings) -> None:
    """The ticket has the reply of each round."""
    shown = {one["round"]: one["reply"] for one in ticket.get("rounds", ())}
    if rounds != sorted(shown) and rounds != [1]:
        findings.lost(case.inquiry_id, f"its ticket shows the replies of the rounds {sorted(shown)}, not {rounds}")
    for round_, reply in shown.items():
        wanted = Counter(_written(case, case.parts_of(round_)).items())
        _compare(case, f"the reply of round {round_} on its ticket", reply, wanted, findings)


def _written(case: Case, parts: Mapping[str, str]) -> dict[str, str]:
    """The last final contribution of each department to one of these parts, from its outbox."""
    words: dict[str, str] = {}
    for one in case.outbox:
        part_id = one.data.get("part_id", "")
        if one.kind == "part.contributed" and one.data.get("final", True) and part_id in parts:
            words[parts[part_id]] = one.data["text"]
    return words


def _compare(case: Case, what: str, reply: object, wanted: Counter[tuple[str, str]], findings: Findings) -> None:
    paragraphs = reply["paragraphs"] if isinstance(reply, dict) else []
    shown = Counter((one["department"], one["text"]) for one in paragraphs)
    for department, text in (wanted - shown).elements():
        findings.lost(case.inquiry_id, f"{what} lacks the words of {department}: {text[:60]!r}")
    for department, text in (shown - wanted).elements():
        findings.double(case.inquiry_id, f"{what} says for {department} what it did not write, or again: {text[:60]!r}")
