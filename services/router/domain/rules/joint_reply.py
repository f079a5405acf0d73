"""The joint reply: composed when every active part is contributed, and again when a text of it has changed."""

from collections.abc import Sequence
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
    if case.status == "answered" or not case.outdated or not case.complete:
        return None
    return composed(case, ordered_parts(case), directory)


def composed(case: Case, parts: Sequence[Part], directory: CityIndex) -> NewFact:
    """The next version of the joint reply, made of the texts of these parts."""
    language = case.inquiry.language if case.inquiry else "zh"
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
    reply_id = f"{case.inquiry_id}-r{case.round}"
    whole = framed(case.frame, whole)
    fact = facts.Composed(reply_id, version, case.round, None, tuple(paragraphs))
    return NewFact(
        fact,
        elsewhere={"text": whole, **texts},
        private={**private, "sha256": sha256(whole.encode()).hexdigest()},
    )


def ordered_parts(case: Case) -> list[Part]:
    """The active parts in the lead's order. Departments that the order does not name come last, the lead first."""
    places = {department: at for at, department in enumerate(case.frame.order)}
    return sorted(case.active_parts, key=lambda part: places.get(part.department, len(places)))
