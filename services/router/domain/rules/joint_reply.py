"""The joint reply: composed when every active part is contributed, then released."""

from hashlib import sha256

from services.router.domain import facts
from services.router.domain.case import Case, JointReply
from services.router.domain.city_index import CityIndex
from services.router.domain.words import NewFact

HEADING = "【{name}】\n"
BETWEEN = "\n\n"


def compose_when_complete(case: Case, directory: CityIndex) -> NewFact | None:
    """Join the contributions, lead first: each text unchanged, under the current name of its department."""
    if case.status == "answered" or not case.complete or unreleased(case):
        return None
    language = case.inquiry.language if case.inquiry else "zh"
    version = case.reply.version + 1 if case.reply and case.reply.round == case.round else 1
    paragraphs: list[facts.ParagraphOf] = []
    texts, private = dict[str, str](), dict[str, str]()
    whole = ""
    for at, part in enumerate(case.active_parts):
        name = directory.name(part.department, language)
        before = (BETWEEN if at else "") + HEADING.format(name=name)
        text = part.text.text if part.text else ""
        paragraphs.append({"part_id": part.id, "department": part.department, "text": None})
        texts[f"paragraphs/{at}/text"] = text
        private |= {f"paragraphs/{at}/name": name, f"paragraphs/{at}/before": before}
        whole += before + text
    reply_id = f"{case.inquiry_id}-r{case.round}"
    composed = facts.Composed(reply_id, version, case.round, None, tuple(paragraphs))
    return NewFact(
        composed,
        elsewhere={"text": whole, **texts},
        private={**private, "sha256": sha256(whole.encode()).hexdigest()},
    )


def release_when_composed(case: Case, directory: CityIndex) -> NewFact | None:
    """Release the composed reply as the answer of its round."""
    if (reply := unreleased(case)) is None:
        return None
    parts = tuple(one.part_id for one in reply.paragraphs)
    return NewFact(facts.Answered(reply.round, parts))


def unreleased(case: Case) -> JointReply | None:
    """The joint reply that is composed and not released; None when there is none."""
    return None if case.reply is case.released else case.reply
