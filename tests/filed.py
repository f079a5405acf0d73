"""Steps of stories with files."""

from shared.contracts.department_outbox import PartContributed
from tests.builders import Step, part_of

PHOTO, PLAN, SOUND = "0f" * 16, "1e" * 16, "2d" * 16
"""Ids of files."""


def with_files(department: str, text: str, *file_ids: str) -> Step:
    """A department contributes its text with files."""
    return Step(lambda case: PartContributed(part_id=part_of(case, department), text=text, files=file_ids), department)
