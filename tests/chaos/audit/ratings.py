"""Ratings: each reaches the departments of its answer once, and reopens the inquiry as the sample city's policies say."""

from collections import Counter

from tests.chaos.audit.capture import Record
from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings

REOPENINGS_MAX = 2


def check_ratings(case: Case, findings: Findings) -> None:
    """One `part.rated` for each part of the rated answer; one new round for each discontented rating, up to the limit."""
    answers = {one.data.get("round", 1): one.data["parts"] for one in case.events_of("inquiry.answered")}
    reopened = Counter(one.data["round"] for one in case.events_of("inquiry.reopened"))
    rated = Counter((one.data["round"], one.data["part_id"]) for one in case.inbox if one.kind == "part.rated")
    wanted: set[tuple[int, str]] = set()
    for rating in case.events_of("inquiry.rated"):
        round_ = rating.data["round"]
        wanted |= {(round_, part) for part in answers.get(round_, ())}
        expected = int(_displeased(rating) and round_ <= REOPENINGS_MAX)
        found = reopened.pop(round_ + 1, 0)
        if found < expected:
            findings.lost(case.inquiry_id, f"the rating of round {round_} did not reopen it")
        elif found > expected:
            findings.double(case.inquiry_id, f"the rating of round {round_} reopened it {found} times, not {expected}")
    for round_ in reopened:
        findings.wrong(case.inquiry_id, f"round {round_} began without a rating of the one before")
    for place in wanted - rated.keys():
        findings.lost(case.inquiry_id, f"the rating of round {place[0]} did not reach the department of {place[1]}")
    for place, times in rated.items():
        if times > 1 or place not in wanted:
            findings.double(case.inquiry_id, f"the rating of round {place[0]} reached {place[1]} {times} times")


def _displeased(rating: Record) -> bool:
    return not rating.data["solved"] or rating.data["satisfied"] == "no"
