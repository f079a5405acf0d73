"""The joint reply: composed when every active part is contributed, and again when a text of it has changed.

A part that is contributed after the reply was released becomes an addendum.
"""

from hashlib import sha256

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.fold.replies import BETWEEN, framed
from services.router.domain.part import Part
from services.router.domain.words import NewFact

HEADING = "【{name}】\n"


def compose_when_complete(case: Case, directory: CityIndex) -> NewFact | None:
    """Join the contributions, in the lead's order or lead first: each text unchanged, under its department's name."""
    if not case.outdated or case.unsettled:
        return None
    if case.is_answered:
        late = [part for part in ordered_parts(case) if part.state == "contributed"]
        return composed(case, late, directory, len(case.addenda_of_round) + 1) if late else None
    return composed(case, ordered_parts(case), directory) if case.complete else None


def composed(case: Case, parts: list[Part], directory: CityIndex, addendum: int = 0) -> NewFact:
    """`reply.composed`: the texts of these parts, joined."""
    language = case.inquiry.language if case.inquiry else "zh"
    reply_id = f"{case.inquiry_id}-r{case.round}" + (f"-a{addendum}" if addendum else "")
    version = case.reply.version + 1 if case.reply and case.reply.id == reply_id else 1
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
    whole = framed(case.frame, whole)
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
