"""Counts decisions in Prometheus and logs them."""

from collections import Counter
from collections.abc import Sequence

from services.router.domain import facts
from services.router.domain.decision import Decision
from shared.runtime import metrics
from shared.runtime.logging import log

LABELS_MAX = 100


def count_decisions(decisions: Sequence[Decision]) -> None:
    """Count parts offered by department and joint replies; log one line, without ids, which are in the decisions."""
    offered: Counter[str] = Counter()
    joint = refused = 0
    for decision in decisions:
        refused += decision.refusal is not None
        for fact in decision.facts:
            if isinstance(fact, facts.Offered):
                offered[fact.department] += 1
            elif isinstance(fact, facts.Answered) and len(fact.parts) > 1:
                joint += 1
    for department, parts in offered.items():
        metrics.ASSIGNMENTS.labels(department_label(department)).inc(parts)
    metrics.JOINT_REPLIES.inc(joint)
    if decisions:
        log.info("inputs decided", decisions=len(decisions), refused=refused)


_labels: set[str] = set()


def department_label(department: str) -> str:
    """The label of a department: its code for the first 100 departments of this process, `other` for the rest."""
    if len(_labels) < LABELS_MAX:
        _labels.add(department)
    return department if department in _labels else "other"
