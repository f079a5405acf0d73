"""The audit: all checks on all inquiries; findings explained by a dead letter are excused."""

from tests.chaos.audit.capture import Capture
from tests.chaos.audit.cases import Case, lay_out
from tests.chaos.audit.chain import check_chain, check_record
from tests.chaos.audit.decisions import check_accepted, check_causes, check_decisions, check_promised
from tests.chaos.audit.events import check_events, check_scored
from tests.chaos.audit.findings import Findings
from tests.chaos.audit.outside import check_hall, check_mails, check_told
from tests.chaos.audit.parts import check_answer, check_offers
from tests.chaos.audit.questions import check_questions
from tests.chaos.audit.ratings import check_ratings
from tests.chaos.audit.recount import CLOCKS, recount, share, shown
from tests.chaos.audit.texts import check_texts, check_wordless


def audit(capture: Capture) -> Findings:
    """All findings of a capture."""
    findings = Findings()
    cases = lay_out(capture, findings)
    check_accepted(capture, cases, findings)
    for case in cases.values():
        check_decisions(case, findings)
        check_causes(case, findings)
        check_promised(case, findings)
        check_chain(case, findings)
        check_texts(case, findings)
        check_events(case, findings)
        check_record(case, findings)
        check_wordless(case, capture.areas, findings)
        check_scored(case, findings)
        check_offers(case, findings)
        check_questions(case, findings)
        check_told(case, findings)
        check_ratings(case, findings)
        check_answer(
            case, dict(capture.tickets[case.inquiry_id]) if case.inquiry_id in capture.tickets else None, findings
        )
    check_mails(capture, cases, findings)
    check_hall(capture, cases, findings)
    check_scores(capture, cases, findings)
    excuse(capture, findings)
    return findings


def check_scores(capture: Capture, cases: dict[str, Case], findings: Findings) -> None:
    """Every row of every scoreboard equals the recount; a department without a row has nothing to count."""
    for board in capture.boards:
        counted = recount((case.events for case in cases.values()), board)
        lines = {line["code"]: line for line in board["departments"]}
        for code in counted.keys() - lines.keys():
            findings.wrong("", f"the scoreboard from {board['period']['from']} has no line for {code}")
        for code, line in lines.items():
            row = counted.get(code, {})
            for name, number in shown(line).items():
                if number != row.get(name, 0):
                    findings.wrong(
                        "", f"the scoreboard says {name} {number} for {code}, the recount {row.get(name, 0)}"
                    )
            for clock in CLOCKS if row else ():
                if line["clocks"][clock]["share"] != share(row, clock):
                    said = line["clocks"][clock]["share"]
                    findings.wrong(
                        "", f"the scoreboard says {clock} {said} for {code}, the recount {share(row, clock)}"
                    )


def excuse(capture: Capture, findings: Findings) -> None:
    """Missing effects of an inquiry with a dead letter that has a reason are excused: they wait for a replay."""
    letters = [one for one in capture.records if one.topic.endswith(".dead-letters")]
    for letter in letters:
        if not letter.headers.get("dl_reason") or not letter.headers.get("dl_kind"):
            findings.wrong(letter.inquiry_id, f"a dead letter in {letter.topic} at {letter.offset} gives no reason")
    explained = {one.inquiry_id for one in letters if one.headers.get("dl_reason")}
    findings.excused = [one for one in findings.found if one.kind == "lost" and one.inquiry_id in explained]
    findings.found = [one for one in findings.found if one not in findings.excused]
