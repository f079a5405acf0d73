"""Masks the texts of one case: what identifies a person in one text is hidden in all of them."""

import re
from collections.abc import Iterable, Iterator, Sequence

from shared.masking.addresses import address_spans
from shared.masking.case import CaseTexts, Masked
from shared.masking.chinese_names import chinese_name_spans
from shared.masking.folding import Folded, Span, fold
from shared.masking.known_names import patterns
from shared.masking.labelled import labelled_spans
from shared.masking.latin_names import latin_name_spans
from shared.masking.lexicon import Lexicon, NoLexicon
from shared.masking.numbers import number_spans

MARK = "＊＊＊"
TICKET = re.compile(
    r"(?<![0-9A-Za-z])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|"
    r"3[01])-[0-9A-HJKMNP-TV-Z]{8}(?:-p\d{1,3})?(?![0-9A-Za-z@])",
    re.IGNORECASE,
)
KEPT = "\ue000"
PROPAGATED = 40
ROUNDS = 8
FEWEST_DIGITS = 7
LANDLINE_DIGITS = range(7, 13)
MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
# How a department announces its own number in an answer.
SERVICE = re.compile(
    r"(?:咨询|服务|投诉|监督|举报|办公|值班|热线|窗口|报修|客服|大厅|预约|受理|抢修|维修|运营|业务|公开|拨打|致电|请联系|可联系|欢迎|enquir|"
    r"inquir|office|hotline|service)"
    r"[^\d,。;!?\n]{0,12}$",
    re.IGNORECASE,
)
NAMELIKE = re.compile(r"[\u4e00-\u9fff]{2,8}|[A-Z][\w'’\-.]*(?: [A-Z][\w'’\-.]*){0,4}")


def mask_case(case: CaseTexts, lexicon: Lexicon) -> Masked:
    """Replaces everything that identifies a person by one constant mark.

    Masking a masked text again changes nothing. So the function repeats until it finds nothing, because the model reads a
    sentence differently after a word in it is masked.
    """
    texts = [*case.written, *case.answers]
    for _ in range(ROUNDS):
        masked = _once(texts, case, lexicon)
        if masked == texts:
            break
        texts = masked
    return Masked(tuple(texts[: len(case.written)]), tuple(texts[len(case.written) :]))


def mask(text: str, names: Sequence[str] = (), lexicon: Lexicon | None = None) -> str:
    """Masks one text; without a model, rules alone find names."""
    return mask_case(CaseTexts((text,), names=tuple(names)), lexicon or NoLexicon()).written[0]


def _once(texts: Sequence[str], case: CaseTexts, lexicon: Lexicon) -> list[str]:
    folded = [_folded(text) for text in texts]
    published = {_plain(one) for one in case.published} - {_plain(one) for one in case.reached_at}
    found = [[span for span in _found(text) if not _published(text.plain[slice(*span)], published)] for text in folded]
    residents = [*(one.numbers for one in folded[: len(case.written)]), *case.reached_at]
    for at in range(len(case.written), len(texts)):
        found[at] = [span for span in found[at] if not _of_service(folded[at].plain, span, residents)]
    named = [_named(text, lexicon) for text in folded]
    known = list(_looked_for(case, folded, found, named))
    return [
        cut(text, merged(one.written(span) for span in (*spans, *names, *_known(one.plain, known))))
        for text, one, spans, names in zip(texts, folded, found, named, strict=True)
    ]


def _folded(text: str) -> Folded:
    """Folds the text, and protects ticket numbers and marks from all rules."""
    folded = fold(text)
    if not TICKET.search(folded.plain):
        return folded
    plain, numbers = (TICKET.sub(lambda it: KEPT * len(it[0]), one) for one in (folded.plain, folded.numbers))
    return Folded(plain, numbers, folded.places, folded.length)


def _found(text: Folded) -> list[Span]:
    return merged([*number_spans(text), *labelled_spans(text), *address_spans(text.plain)])


def _named(text: Folded, lexicon: Lexicon) -> list[Span]:
    return [*chinese_name_spans(text.plain, lexicon.words(text.plain)), *latin_name_spans(text.plain)]


def _looked_for(
    case: CaseTexts, texts: Sequence[Folded], found: Sequence[Sequence[Span]], named: Sequence[Sequence[Span]]
) -> Iterator[re.Pattern[str]]:
    """Returns the patterns to find in all texts: the resident's names and numbers, and those that any text states."""
    names = [fold(name).plain for name in case.names]
    stated = [text.plain[slice(*span)] for text, spans in zip(texts, named, strict=True) for span in spans]
    stated = [name for name in dict.fromkeys(stated) if NAMELIKE.fullmatch(name)][:PROPAGATED]
    yield from dict.fromkeys(pattern for name in dict.fromkeys([*names, *stated]) for pattern in patterns(name))
    given = [text.plain[slice(*span)] for text, spans in zip(texts, found, strict=True) for span in spans]
    for value in dict.fromkeys([*(fold(one).plain for one in case.reached_at), *given[:PROPAGATED]]):
        number = "".join(filter(str.isdigit, value))
        if "@" in value:
            yield re.compile(f"(?P<it>{re.escape(value)})", re.IGNORECASE)
        elif len(number) >= FEWEST_DIGITS and len(number) > len(value) / 2:
            for one in _forms(number):
                yield re.compile(rf"(?<!\d)(?P<it>{'[ .-]?'.join(one)})(?!\d)")


def _forms(number: str) -> Iterator[str]:
    """Returns the number with and without its country code and its area code."""
    national = number.removeprefix("0086").removeprefix("86") if len(number) > 11 else number
    yield from dict.fromkeys((number, national))
    if national.startswith("0"):
        yield national[3:] if national[1] in "12" else national[4:]


def _known(text: str, known: Iterable[re.Pattern[str]]) -> Iterator[Span]:
    for pattern in known:
        yield from (found.span("it") for found in pattern.finditer(text))


def _plain(contact: str) -> str:
    """Returns a contact in the form for comparison: an address in small letters, a number as digits without country code."""
    text = fold(contact).plain.strip().lower()
    number = "".join(filter(str.isdigit, text))
    return text if "@" in text or len(number) < FEWEST_DIGITS else number.removeprefix("86").removeprefix("0")


def _published(value: str, published: set[str]) -> bool:
    if not published:
        return False
    plain = _plain(value)
    return plain in published or (
        plain.isdigit() and any(one.endswith(plain) for one in published if len(plain) >= FEWEST_DIGITS)
    )


def _of_service(text: str, span: Span, residents: Sequence[str]) -> bool:
    """Whether the span is a department's own landline. It stays readable, unless the resident wrote it."""
    number = "".join(filter(str.isdigit, text[slice(*span)]))
    if len(number) not in LANDLINE_DIGITS or MOBILE.fullmatch(number):
        return False
    if not SERVICE.search(text, max(0, span[0] - 24), span[0]):
        return False
    return not any(number[-FEWEST_DIGITS:] in "".join(filter(str.isdigit, one)) for one in residents)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorts the spans and joins those that overlap or touch."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        elif end > start:
            whole.append((start, end))
    return whole


def cut(text: str, spans: Sequence[Span]) -> str:
    """Replaces each span by the mark."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], MARK]
        at = end
    return "".join([*pieces, text[at:]])
