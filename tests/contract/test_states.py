"""The state machine covers every combination, and `docs/states.md` shows it.

`python -m tests.contract.test_states` writes the document.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from services.router.domain.case import Case, Inquiry
from services.router.domain.decide import decide
from services.router.domain.facts import DueTexts
from services.router.domain.part import Part
from services.router.domain.reply import JointReply, PendingRelease
from services.router.domain.rules.preconditions import NAMES_A_PART, Refuse
from services.router.domain.transitions import (
    BEFORE_ANSWER,
    KNOWN,
    NOT_CLOSED,
    NOT_TRIAGE,
    PART_STATES,
    STATUSES,
    TABLE,
    TRANSITIONS,
    UNKNOWN,
    Rule,
    _compiled,
)
from services.router.domain.words import Text
from shared.contracts.inputs import INPUTS
from tests.asking import added, asked, asked_for_case, extended, extension_asked, extension_refused
from tests.builders import (
    DIRECTORY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    accepted,
    assigned,
    contributed,
    given_by,
    link_requested,
    rang,
    rated,
    recalled,
    received,
    replayed,
    replied,
    returned,
    withdrawn,
)
from tests.closing import closed
from tests.delegating import delegated
from tests.endings import erased, inquiry_withdrawn, linked, refused
from tests.joining import went_ahead
from tests.publishing import corrected, hidden, published, redacted, reported, retracted
from tests.releasing import approved, release_refused, reply_edited
from tests.returning import arbitrated, first_receiver_assigned, reassigned

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"
STEPS: dict[str, Step] = {
    "chorus.inquiry.received": received("路灯"),
    "chorus.inquiry.rated": rated(),
    "chorus.inquiry.link-requested": link_requested(),
    "chorus.timer.rang": rang("water"),
    "chorus.part.accepted": accepted("lighting"),
    "chorus.part.contributed": contributed("lighting", "修好了"),
    "chorus.part.replied": replied("lighting", "在修"),
    "chorus.part.returned": returned("lighting"),
    "chorus.case.assign": assigned("roads"),
    "chorus.case.withdraw-part": withdrawn("lighting"),
    "chorus.case.recall-part": recalled("lighting"),
    "chorus.case.reassign": reassigned("lighting", "roads"),
    "chorus.case.arbitrate": arbitrated("roads"),
    "chorus.case.assign-first-receiver": first_receiver_assigned(),
    "chorus.case.replay": replayed(),
    "chorus.case.approve": approved(),
    "chorus.case.close": closed(),
    "chorus.case.refuse-release": release_refused(),
    "chorus.case.refuse": refused(),
    "chorus.case.link": linked(),
    "chorus.case.erase": erased(),
    "chorus.inquiry.withdrawn": inquiry_withdrawn(),
    "chorus.reply.edit": reply_edited(opening="您好："),
    "chorus.reply.go-ahead": went_ahead(),
    "chorus.part.delegated": delegated("lighting", "roads"),
    "chorus.part.corrected": corrected("lighting", "修好了两盏"),
    "chorus.case.retract": retracted(),
    "chorus.case.publish": published(),
    "chorus.case.hide": hidden(),
    "chorus.case.redact": redacted(),
    "chorus.hall.reported": reported(),
    "chorus.inquiry.added": added(),
    "chorus.part.asked": asked("lighting"),
    "chorus.part.extension-asked": extension_asked("lighting", MONDAY_NOON + timedelta(days=99)),
    "chorus.case.ask": asked_for_case(),
    "chorus.case.extend": extended("lighting"),
    "chorus.case.refuse-extension": extension_refused("lighting"),
}
LISTED_MAX = 55
"""A longer list of states is shown by the states that it lacks."""
CELLS = sorted(product(STATUSES, PART_STATES, INPUTS))
HEAD = """# States of a case

`python -m tests.contract.test_states` generates this page from `services/router/domain/transitions.py`. A test fails if
the page is out of date.

| case | meaning |
|---|---|
| `unknown` | the router has not received the inquiry's message |
| `registered` | the message is received, and no part is active |
| `triage` | an operator must settle the inquiry or one of its parts |
| `assigned` | all active parts are offered |
| `in-progress` | at least one part is accepted or contributed |
| `awaiting-resident` | a department, or the desk, has asked the resident; the clocks of the parts that wait pause |
| `awaiting-release` | all parts are contributed, and the reply waits for approvals; follows from a reaction |
| `answered` | the last part is contributed; this state follows from a reaction, not from an input |
| `reopened` | a rating has begun a new round, and no department has worked on its part since |
| `closed` | the resident did not answer a question in time, or a coordinator has given a final answer |
| `withdrawn` | ended: the resident has withdrawn the inquiry |
| `refused` | ended: the city does not take up the inquiry |
| `erased` | ended: words and contacts are erased |

`open` stands for every state from `registered` on in which the answer or the end of the case is still to come.

The column `part` gives the state of the part that the input names. Part `none` means that the part does not exist or
belongs to another department.

"""


def concerns_a_part(kind: str) -> bool:
    return issubclass(INPUTS[kind], NAMES_A_PART)


def possible(status: str, part: str, kind: str) -> bool:
    """Whether the combination can occur: an unknown case has no parts, an input about the inquiry has no part state."""
    return part == "none" or (status != "unknown" and concerns_a_part(kind))


def test_every_input_type_has_a_sample_here() -> None:
    assert STEPS.keys() == INPUTS.keys()


def test_every_possible_combination_has_exactly_one_transition() -> None:
    assert TRANSITIONS.keys() == {cell for cell in CELLS if possible(*cell)}


def test_a_combination_that_two_lines_decide_is_refused() -> None:
    with pytest.raises(ValueError, match="two lines of the table decide"):
        _compiled([*TABLE, TABLE[0]])


@pytest.mark.parametrize(("status", "part", "kind"), [cell for cell in CELLS if possible(*cell)], ids="·".join)
def test_every_combination_leads_to_a_decision(status: str, part: str, kind: str) -> None:
    """Either by its rule, or as a refusal with complete texts."""
    case = a_case(status, part)
    decision = decide(case, given_by(STEPS[kind], case, 7), DIRECTORY)
    outcome = TRANSITIONS[status, part, kind]
    assert decision.n == case.n + 1
    if isinstance(outcome, Refuse):
        assert decision.refusal is not None
        assert decision.facts == ()
        assert decision.refused is not None
        assert decision.refusal == outcome.code
        assert "{" not in decision.refused.reason + decision.refused.remedy
        assert "None" not in decision.refused.reason


def a_case(status: str, part: str) -> Case:
    """A case with this status: lighting's part in this state, and an offered part of the water works."""
    if status == "unknown":
        return Case(INQUIRY)
    at = "2026-03-16T04:00:00.000Z"
    due: DueTexts = {"accept": at, "first_reply": at, "resolve": at}
    subject, body = Text("1/0/subject", "路灯"), Text("1/0/body", "坏了")
    inquiry = Inquiry(subject, body, "web", None, None, (), False, False, "zh", at)
    parts = {f"{INQUIRY}-p2": Part(f"{INQUIRY}-p2", "water", "co-handler", due)}
    if part != "none":
        parts |= {f"{INQUIRY}-p1": Part(f"{INQUIRY}-p1", "lighting", "lead", due, part)}  # type: ignore[arg-type]
    unsettled = (f"{INQUIRY}-p1",) if part == "returned" else ((None,) if status == "triage" else ())
    case = Case(INQUIRY, n=3, inquiry=inquiry, parts=parts, status=status, unsettled=unsettled)  # type: ignore[arg-type]
    if status == "awaiting-release":
        case.reply, case.pending = JointReply(f"{INQUIRY}-r1", 1, 1, Text("3/1/text", ""), ()), PendingRelease(1)
    return case


def test_every_rule_file_has_its_own_tests() -> None:
    root = DOCUMENT.parents[1]
    rules = {one.stem for one in (root / "services/router/domain/rules").glob("[a-z]*.py")} - {"preconditions"}
    stories = {one.stem.removeprefix("test_") for one in (root / "tests/domain/rules").glob("test_*.py")}
    assert rules == stories


# ── the document ─────────────────────────────────────────────────────────────


def document() -> str:
    """`docs/states.md` for the current table."""
    return HEAD + "\n\n".join([*map(section, INPUTS), reasons()]) + "\n"


def section(kind: str) -> str:
    """One input: a table row for each outcome, with its statuses and part states."""
    rows = [f"## `{kind}`", "", "| case | part | outcome |", "|---|---|---|"]
    rows += [
        f"| {listed(line.statuses)} | {listed(line.parts) if concerns_a_part(kind) else '-'} | {named(line.outcome)} |"
        for line in TABLE
        if line.type == kind
    ]
    return "\n".join(rows)


def reasons() -> str:
    """The refusals by code."""
    rows = ["## Refusals", "", "The code, and the message to the sender.", ""]
    refusals = {line.outcome.code: line.outcome for line in TABLE if isinstance(line.outcome, Refuse)}
    for code, one in sorted(refusals.items()):
        rows += [f"- `{code}`: {filled(one.reason)}", f"  {filled(one.remedy)}"]
    return "\n".join(rows)


def filled(template: str) -> str:
    """A sentence of a refusal, with the names of its values in capitals."""
    return re.sub(r"\{(\w+)(?:!r)?\}", lambda found: found[1].upper(), template)


def listed(names: Iterable[str]) -> str:
    found = tuple(names)
    groups: dict[tuple[str, ...], str] = {
        KNOWN: "open or answered",
        NOT_TRIAGE: "open or answered, not triage",
        NOT_CLOSED: "open or answered, not closed",
        BEFORE_ANSWER: "open",
        (*UNKNOWN, *KNOWN): "all but the ended ones",
    }
    if found in groups or len(", ".join(found)) <= LISTED_MAX or not set(found) <= set(KNOWN):
        return groups.get(found) or ", ".join(found)
    group, name = (KNOWN, "open or answered") if set(found) - set(BEFORE_ANSWER) else (BEFORE_ANSWER, "open")
    return f"{name}, not {', '.join(one for one in group if one not in found)}"


def named(outcome: Rule | Refuse) -> str:
    if isinstance(outcome, Refuse):
        return f"refused: `{outcome.code}`"
    return f"`{outcome.__name__}` in `{outcome.__module__.replace('.', '/')}.py`"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run `python -m tests.contract.test_states`"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
