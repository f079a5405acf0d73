"""The joint reply: composed when every active part is contributed, and again when a text of it has changed.

A part that is contributed after the reply was released becomes an addendum.
"""

from collections.abc import Sequence
from hashlib import sha256

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.fold.corrections import corrected_parts
from services.router.domain.fold.replies import BETWEEN, frame_of_next, framed
from services.router.domain.part import Part
from services.router.domain.words import NewFact

HEADING = "【{name}】\n"


def compose_when_complete(case: Case, directory: CityIndex) -> NewFact | None:
    """Join the contributions, in the lead's order or lead first: each text unchanged, under its department's name."""
    # An addendum that came during a correction is composed when the correction is released.
    if case.unsettled or not (case.outdated or (case.waits_for_addendum and case.reply_is_released)):
        return None
    if case.is_answered:
        return _addendum_when_late(case, directory)
    return composed(case, ordered_parts(case), directory) if case.complete else None


def _addendum_when_late(case: Case, directory: CityIndex) -> NewFact | None:
    """The next version of an addendum. It waits until a correction of the reply is released or refused."""
    if not case.waits_for_addendum or corrected_parts(case):
        return None
    late = [part for part in ordered_parts(case) if part.state == "contributed"]
    return composed(case, late, directory, len(case.addenda_of_round) + 1)


def composed(case: Case, parts: Sequence[Part], directory: CityIndex, addendum: int = 0) -> NewFact:
    """The next version of the joint reply, or of an addendum to it, made of the texts of these parts."""
    language = case.inquiry.language if case.inquiry else "zh"
    reply_id = f"{case.inquiry_id}-r{case.round}" + (f"-a{addendum}" if addendum else "")
    if addendum:
        version = case.composed_addendum + 1
    else:
        version = case.composed + 1 if case.reply and case.reply.round == case.round else 1
    paragraphs: list[facts.ParagraphOf] = []
    texts, private = dict[str, str](), dict[str, str]()
    whole = ""
    for at, part in enumerate(parts):
        name = directory.name(part.department, language)
        before = (BETWEEN if at else "") + HEADING.format(name=name)
        text = part.text.text if part.text else ""
        paragraphs.append({"part_id": part.id, "department": part.department, "text": None})
        texts[f"paragraphs/{at}/text"] = text
        private |= {f"paragraphs/{at}/name": name, f"paragraphs/{at}/before": before}
        whole += before + text
    whole = framed(frame_of_next(case, addendum), whole)
    return NewFact(
        facts.Composed(reply_id, version, case.round, None, tuple(paragraphs), addendum),
        elsewhere={"text": whole, **texts},
        private={**private, "sha256": sha256(whole.encode()).hexdigest()},
    )


def ordered_parts(case: Case) -> list[Part]:
    """The parts of the next version in the lead's order. Departments that it does not name come last, the lead first.

    Without the parts that the resident has read, and without open ones when the lead went ahead or the reply is released.
    """
    places = {department: at for at, department in enumerate(case.frame.order)}
    released, skips_open = case.released_parts, case.is_answered
    parts = [
        part
        for part in case.active_parts
        if part.id not in released and not (part.open and (part.omitted or skips_open))
    ]
    return sorted(parts, key=lambda part: places.get(part.department, len(places)))
