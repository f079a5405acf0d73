"""Which numbers and addresses reach a person: telephones, identity papers, cards, e-mail, accounts; in folded text.

Every pattern is bounded, so that time grows with the text alone.
"""

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
Pattern = re.Pattern[str]

NOT_DIGITS = re.compile(r"[^\dXx]+")
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d ?[-./] ?(?:0?[1-9]|1[0-2])(?: ?[-./] ?\d{1,2})?(?!\d)")
READABLE = re.compile(rf"{DATE.pattern}|^0\d{{2,3}}[ \-]?(?:1[12]\d|12[0-9]{{3}}|9[56]\d{{3}})$")
YEARS = re.compile(r"(?:(?:19|20)\d\d[- ]*)+")
BIRTHDAY_18 = re.compile(r"\d{6}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
BIRTHDAY_15 = re.compile(r"[1-8]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")

# Only where digits stand close together is there anything to find; an extension may follow them.
STRETCH = re.compile(r"[+(\[]{0,2}\d(?:[ .\-/()\[\]_*+]{0,3}\d)*+")
FEWEST, TAIL = 7, 12
# Whatever has eleven digits in a row is nobody's price, date or house number.
LONG = re.compile(r"(?<!\d)(?:\+ ?)?\d{11,}(?:[Xx](?![A-Za-z]))?")
MOBILE = re.compile(r"(?<!\d)(?:(?:\+ ?|00)?\(?86\)?[ -]{0,3})?\(?1[ .\-]{0,2}[3-9](?:[ .\-/()_*]{0,3}\d){9}(?!\d)")
EXTENSION = r"(?: ?(?:转|轉|分机|ext\.?|x|#|-) ?\d{1,6})?"
AREA = r"(?:10|2\d|[3-9]\d\d)"
LANDLINE = re.compile(
    r"(?<!\d)(?<!\d\.)(?:[(\[]?0" + AREA + r"[)\]]?|(?:\+ ?|00)86[ \-]{0,2}\(?" + AREA + r"\)?)"
    r"[ \-]{0,3}\d{3,4}[ \-]?\d{4}(?!\d)" + EXTENSION,
    re.IGNORECASE,
)
SERVICE = re.compile(
    r"(?<!\d)[48]00(?:\d{7}|[ -]{1,3}\d{7}|[ -]{1,3}\d{3}[ -]\d{4}|[ -]{1,3}\d{4}[ -]\d{3}|\d[ -]\d{3}[ -]\d{3}|"
    r"[ -]\d[ -]\d{3}[ -]\d{3}|\d[ -]\d{6})(?!\d)" + EXTENSION,
    re.IGNORECASE,
)
ABROAD = re.compile(r"(?<![\d+])(?:\+ ?|(?<![:\d.])00)[1-9](?:[ ().\-]{0,2}\d){7,14}(?!\d)" + EXTENSION, re.IGNORECASE)
AMERICAN = re.compile(
    r"(?<![\d.\-])(?:1[ .\-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .\-])\d{3}[ .\-]\d{4}(?![\d元])" + EXTENSION, re.IGNORECASE
)
TRUNK = re.compile(r"(?<![\d.:\-])\(?0\d{1,4}\)?[ -]\d{3,4}[ -]?\d{3,4}(?!\d)")
NUMERAL = "[零〇幺一二三四五六七八九壹贰叁肆伍陆柒捌玖]"
NUMERALS = re.compile(rf"{NUMERAL}(?:[ -]?{NUMERAL}){{10,17}}")
IDENTITY_18 = re.compile(r"(?<!\d)[1-9](?:[ \-]{0,2}\d){16}[ \-]{0,2}[\dXx](?![\dA-Za-z])")
IDENTITY_15 = re.compile(r"(?<!\d)[1-8](?:[ \-]{0,2}\d){14}(?!\d)")
CARD = re.compile(r"(?<!\d)\d{4}(?:[ \-]{1,2}\d{4}){3}(?:[ \-]{0,2}\d{1,3})?(?!\d)|(?<!\d)\d{6}[ \-]\d{10,13}(?!\d)")
MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]++ ?@ ?[A-Za-z0-9][A-Za-z0-9\-]*+"
    r"(?:\.[A-Za-z0-9][A-Za-z0-9\-]*+| ?[.。,] ?(?:com|cn|net|org|edu|gov|example)(?![A-Za-z0-9]))*+",
    re.IGNORECASE,
)

OF = r"(?:[ :=#/\"'“”()]|是|为|号码|号|码|account|number|no\.?|id|is)"
CALLED = re.compile(
    r"(?:电话|手机|座机|固话|热线|致电|拨打|来电|联系方式|联系|传真|话|tel|telephone|phone|mobile|cell|call|fax|whatsapp)"
    r"(?:[ :.=#\"'“”]|是|为|号码|号|码|number|no\.?|is|me|us|at|on){0,8}"
    r"(?P<it>[+(]?\d(?:[ ().\-]{0,2}\d){6,17}(?![\d元块万亿])(?:(?: ?(?:[、,;/和及]|或者?) ?|\s)\d{7,8}(?!\d)){0,5})",
    re.IGNORECASE,
)
PAPER = re.compile(
    r"(?:身份证|证件|id card|identity card|identity|社保卡|医保卡|银行卡|卡号|账号|帐号)" + OF + r"{0,8}"
    r"(?P<it>\d(?:[ \-]{0,2}\d){7,20}[ \-]?[Xx]?)(?![A-Za-z\d])",
    re.IGNORECASE,
)
PASSPORT = re.compile(
    r"(?:护照|通行证|台胞证|回乡证|军官证|士兵证|居住证|passport|permit)" + OF + r"{0,8}"
    r"(?P<it>[A-Za-z]{0,3} ?-?\d(?: ?\d){4,9}[A-Za-z]?)(?![A-Za-z\d])",
    re.IGNORECASE,
)
QQ = re.compile(
    r"(?:(?<![a-z])q ?q|扣扣|企鹅|(?<=[加我的])q)(?:群|邮箱|" + OF + r"){0,8}(?P<it>\d(?:[ \-]?\d){4,11})(?!\d)",
    re.IGNORECASE,
)
WECHAT_LABEL = r"(?:微 ?信|薇信|威信|v信|徽信|we ?chat|weixin|(?<![a-z])(?:vx|wx|v(?= ?[:])))"
WECHAT = re.compile(
    WECHAT_LABEL + r"(?: ?(?:号码|号|账号|帐号|account|id|number))?"
    r"(?:(?: ?[:=]| ?[是为]|号| id) ?(?P<it>[A-Za-z0-9][\w\-]{4,29}+)|"
    # Without a mark between, only what has a digit or an underscore is an id: "WeChat payments" is none.
    r" ?(?:is )?(?P<also>(?=[A-Za-z_\-]{0,29}\d|[A-Za-z]{1,29}_)[A-Za-z0-9][\w\-]{4,29}+))",
    re.IGNORECASE | re.ASCII,
)


def number_spans(text: str) -> Iterator[Span]:
    """Where numbers and addresses stand that must not be seen."""
    for stretch in STRETCH.finditer(text):
        if len(digits(stretch[0])) >= FEWEST:
            yield from _in_stretch(text, stretch.start(), stretch.end() + TAIL)
    yield from (found.span() for found in NUMERALS.finditer(text))
    if "@" in text:
        yield from (found.span() for found in MAIL.finditer(text))
    for pattern in (CALLED, PAPER, PASSPORT, QQ):
        yield from (found.span("it") for found in pattern.finditer(text) if not READABLE.search(found["it"]))
    for found in WECHAT.finditer(text):
        yield found.span("it" if found["it"] else "also")


def _in_stretch(text: str, start: int, end: int) -> Iterator[Span]:
    for pattern in (LONG, LANDLINE, SERVICE, AMERICAN):
        yield from (found.span() for found in pattern.finditer(text, start, end))
    for pattern, real in CHECKED:
        yield from (found.span() for found in pattern.finditer(text, start, end) if real(found[0]))


def digits(text: str) -> str:
    """The digits of a number, and the X an identity number may end with."""
    return "".join(NOT_DIGITS.split(text))


def _no_date(text: str) -> bool:
    return not DATE.search(text)


def _no_years(text: str) -> bool:
    return not YEARS.fullmatch(text)


CHECKED: tuple[tuple[Pattern, Callable[[str], bool]], ...] = (
    (MOBILE, _no_date),
    (ABROAD, _no_date),
    (TRUNK, _no_date),
    (CARD, _no_years),
    (IDENTITY_18, lambda text: BIRTHDAY_18.fullmatch(digits(text)) is not None),
    (IDENTITY_15, lambda text: BIRTHDAY_15.fullmatch(digits(text)) is not None),
)
