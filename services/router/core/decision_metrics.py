"""Counts decisions in Prometheus."""

from collections import Counter
from collections.abc import Sequence

from services.router.domain import facts
from services.router.domain.decision import Decision
from shared.runtime import metrics
from shared.runtime.logging import log

LABELS_MAX = 100


def count_decisions(decisions: Sequence[Decision]) -> None:
    """Count what was decided; which case, and what of it, stands in the decisions themselves."""
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
        log.info("decided", decisions=len(decisions), refused=refused)


_labels: set[str] = set()


def department_label(department: str) -> str:
    """A department's label in metrics: the first hundred by name, all further ones as `other`."""
    if len(_labels) < LABELS_MAX:
        _labels.add(department)
    return department if department in _labels else "other"
