"""Finds numbers that identify a person in folded text: telephones, identity papers, bank cards.

Every pattern is bounded, so that the time grows only in proportion to the length of the text.
"""

import re
from collections.abc import Callable, Iterator

from shared.masking.folding import Folded, Span

Pattern = re.Pattern[str]

NOT_DIGITS = re.compile(r"[^\dXx]+")
NO_DIGITS = re.compile(r"\D+")
S = r"[ \n.\-_/\\()\[\]{}<>*~`'\"·•|+=#:,;、…^xX&]{0,3}"
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d ?[-./] ?(?:0?[1-9]|1[0-2])(?: ?[-./] ?\d{1,2})?(?!\d)")
YEARS = re.compile(r"(?:(?:19|20)\d\d\D*)+")
NETWORK = re.compile(r"(?:(?:1?\d?\d|2[0-4]\d|25[0-5])\.){3}(?:1?\d?\d|2[0-4]\d|25[0-5])")
BIRTHDAY_18 = re.compile(r"[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
BIRTHDAY_15 = re.compile(r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")
# Not personal: service lines of businesses (400, 800) and short public numbers (12345, 95598).
PUBLIC = re.compile(r"[48]00\d{7}|(?:0\d{2,3})?(?:1[12]\d|12[0-9]{3}|9[56]\d{3,4})")
# A number after such a label belongs to a thing: a contract, an order, a law, a flight.
THING = re.compile(
    r"(?:编号|单号|订单|票号|发票|文号|案号|税号|批号|代码|条码|编码|流水|合同|国土证|土地证|房产证|产权证|不动产|"
    r"许可证|执照|项目|"
    r"工单|受理|备案|立案|招标|采购|航班|车次|运单|快递|物流|isbn|型号|序列|批次|期号|彩票|信用|登记|注册号|字号|版本|"
    r"ip|issn|order|invoice|contract|flight|case|reference|ticket|version)[^\d\n。;!?]{0,6}$",
    re.IGNORECASE,
)
UNIT = r"(?! ?(?:元|块|万|亿|%|度|平方|平米|吨|公里|千瓦|人次|立方))"

# Numbers are searched only where digits are close together.
STRETCH = re.compile(rf"[+(\[]{{0,2}}\d(?:{S}\d)*+")
FEWEST, TAIL = 7, 12
LONG = re.compile(r"(?<![\d])(?<!\d\.)(?:\+ ?)?\d{11,}+(?:[Xx](?![A-Za-z]))?" + UNIT)
MOBILE = re.compile(rf"(?<!\d)(?:(?:\+ ?|00)?\(?86\)?[ \-]{{0,3}})?\(?(?P<it>1{S}[3-9](?:{S}\d){{9}})(?!\d)" + UNIT)
# Any one sign between all parts, or a few words.
ALIKE = re.compile(
    r"(?<!\d)1(?:[3-9]\d(?P<four>[^\d\n]{1,3})\d{4}(?P=four)\d{4}|[3-9]\d(?P<three>[^\d\n]{1,3})\d{3}(?P=three)\d{5}|"
    r"(?P<one>[^\d\n]{1,3})[3-9](?:(?P=one)\d){9}|[3-9](?P<two>[^\d\n]{1,3})\d\d(?:(?P=two)\d\d){3}(?P=two)\d|"
    r"[3-9]\d\d(?P<last>[^\d\n]{1,3})\d{4}(?P=last)\d{3}|[3-9]\d[^\d\n,]{1,6}(?!19\d\d|20\d\d)\d{8}|"
    r"[3-9]\d{5}[^\d\n,元]{1,3}\d{4})(?!\d)" + UNIT
)
APART = re.compile(r"(?<!\d)1[3-9]\d[^\d\n。]{1,6}\d{4}[^\d\n。]{1,6}\d{4}(?!\d)" + UNIT)
EXTENSION = r"(?:[ ,\-(]{0,2}(?:转|分机号?|内线|ext(?:ension)?\.?|x|#|-)[ :]?\d{1,6}\)?)?"
AREA = r"(?:10|2\d|[3-9]\d\d)"
IN_LINE = r"[ \-_/.)\]~*·\n]{0,3}"
LANDLINE = re.compile(
    rf"(?<!\d)(?<!\d\.)(?:[(\[]?0{AREA}|(?:\+ ?|00|\()?86{IN_LINE}[(\[]?0?{AREA}){IN_LINE}"
    rf"[2-9]\d{{2,3}}[ \-_.]?\d{{4}}(?!\d)" + UNIT + EXTENSION,
    re.IGNORECASE,
)
LANDLINE_APART = re.compile(rf"(?<!\d)[(\[]?0{AREA}(?:{IN_LINE}\d){{7,8}}(?!\d)" + UNIT + EXTENSION, re.IGNORECASE)
ABROAD = re.compile(
    r"(?<![\d+])(?:\+ ?|(?<![:\d.])00)(?!86)[1-9](?:[ ().\-]{0,3}\d){7,14}(?!\d)" + EXTENSION, re.IGNORECASE
)
AMERICAN = re.compile(
    r"(?<![\d.\-])(?:1[ .\-])?(?:\([2-9]\d\d\)[ \-.]?|[2-9]\d\d[ .\-/])\d{3}[ .\-]\d{4}(?![\d元])" + EXTENSION,
    re.IGNORECASE,
)
TRUNK = re.compile(r"(?<![\d.:\-])\(?0\d{1,4}\)?[ -]\d{3,4}[ -]?\d{3,4}(?!\d)")
IDENTITY_18 = re.compile(rf"(?<!\d)(?=(?P<it>[1-9](?:{S}\d){{16}}{S}[\dXx叉])(?![\dA-Za-z]))")
IDENTITY_15 = re.compile(rf"(?<!\d)(?=(?P<it>[1-9](?:{S}\d){{14}})(?!\d))")
CARD = re.compile(
    r"(?<!\d)\d{4}(?P<apart>[ \-.*_/·,\n]{1,2})\d{4}(?:(?P=apart)\d{4}){2}(?:(?P=apart)?\d{1,3})?(?!\d)|"
    r"(?<!\d)[3-9]\d{0,7}(?P<alike>(?:[^\w元]|_){1,3}|x)\d{1,13}(?:(?P=alike)\d{1,13}){0,18}(?!\d)"
)
HONGKONG = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6} ?\([0-9A]\)|(?<![A-Za-z0-9])[A-Z][12]\d{8}(?!\d)")
SECURITY = re.compile(
    r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])|(?<![A-Za-z])[A-CEGHJ-PR-TW-Z]{2}(?: ?\d\d){3} ?[A-D](?![A-Za-z])"
)
PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EGDSPHMK]\d{8}|[ED][A-Z]\d{7}|[EGDSP]\.?\d{7,8})(?!\d)", re.IGNORECASE)
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
SERVED = re.compile(r"[军士兵文海空政参后装南北沈兰济广成京武警][\u4e00-\u9fff]?字第? ?\d{5,9} ?号?")
SPLIT = r"(?:[^\d\n。!?]{0,8}?\d)"
SPLIT_UP = re.compile(rf"(?:前|开头)[三3]位[^\d\n。]{{0,4}}1[3-9]\d{SPLIT}{{8}}(?!\d)")
DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|yao|ling|yi|er|san|si|wu|liu|qi|ba|jiu)"
SPELLED = re.compile(rf"(?<![A-Za-z]){DIGIT_WORD}(?:[ ,\-.]{{1,2}}{DIGIT_WORD}){{6,18}}(?![A-Za-z])", re.IGNORECASE)
DAY = r"(?:19|20)?\d\d ?(?:年|[-./]) ?\d{1,2} ?(?:月|[-./]) ?\d{1,2} ?[日号]?"
BORN = re.compile(
    rf"(?:出生日期|出生年月日?|出生时间|生日|出生于|生于|(?<!卫)(?<!新)出生|born (?:on|in)?|date of birth|dob|"
    rf"birthday)[ :是为]{{0,3}}(?P<it>{DAY})|"
    rf"(?P<before>{DAY}) ?(?:出生|生人|生于|生(?=[,。;]))",
    re.IGNORECASE,
)
LAST_FEW = re.compile(
    r"(?:尾号|末尾|末[四4三3六6]位|[后尾最][四4三3六6]位|最后[四4三3六6]位|last (?:four|4|three|3|six|6)(?: "
    r"digits)?|ending(?: in)?)"
    r"(?:数字?|号码|号|为|是|[ :()\"“”']|are|is){0,4}(?P<it>\d{3,6}[Xx]?)(?!\d)(?!年|月|元)",
    re.IGNORECASE,
)


def number_spans(text: Folded) -> Iterator[Span]:
    """Finds numbers that are personal data even without a label."""
    for words in dict.fromkeys((text.plain, text.numbers)):
        for stretch in STRETCH.finditer(words):
            if len(digits(stretch[0])) >= FEWEST:
                yield from _in_stretch(words, max(0, stretch.start()), stretch.end() + TAIL)
        yield from (found.span() for found in IBAN.finditer(words) if _account(found[0]))
        for pattern in (HONGKONG, SECURITY, SERVED, ALIKE, SPLIT_UP, SPELLED):
            yield from (found.span() for found in pattern.finditer(words))
        yield from (found.span("it" if found["it"] else "before") for found in BORN.finditer(words))
        yield from (found.span("it") for found in LAST_FEW.finditer(words))
        yield from (found.span() for found in APART.finditer(words) if not DATE.search(found[0]))
        yield from (found.span() for found in PASSPORT.finditer(words) if not thing(words, found.start()))


def _in_stretch(text: str, start: int, end: int) -> Iterator[Span]:
    for pattern, real in CHECKED:
        for found in pattern.finditer(text, start, end):
            value = found["it"] if "it" in pattern.groupindex else found[0]
            at = found.start("it") if pattern in (IDENTITY_15, IDENTITY_18) else found.start()
            if real(value) and not (pattern in NAMEABLE and thing(text, at)):
                yield at, (found.end("it") if pattern in (IDENTITY_15, IDENTITY_18) else found.end())


def digits(text: str) -> str:
    """Returns the digits of a number, and the X that can end an identity number."""
    return "".join(NOT_DIGITS.split(text))


def thing(text: str, at: int) -> bool:
    """Whether a label before `at` says that the number belongs to a thing."""
    return THING.search(text, max(0, at - 16), at) is not None


def _account(number: str) -> bool:
    """Whether the check digits of an international account number are right (ISO 13616)."""
    text = number.replace(" ", "")
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def public(number: str) -> bool:
    """Whether the number is a public one, such as a hotline, and reaches no private person."""
    return PUBLIC.fullmatch("".join(NO_DIGITS.split(number))) is not None


def _grouped(number: str) -> bool:
    """Whether the digits are grouped like one mobile number and not like several numbers."""
    if DATE.search(number) or NETWORK.fullmatch(number):
        return False
    groups = [len(one) for one in NO_DIGITS.split(number) if one]
    apart = {one.strip() for one in re.findall(r"\D+", number)} - {""}
    if len(groups) == 1 or all(size == 1 for size in groups):
        return True
    if groups[0] >= 3 and min(groups) >= 2:
        return groups[:2] in ([3, 4], [3, 3], [3, 8], [7, 4], [3, 5]) or len(apart) <= 1
    return len(apart) <= 1 and "," not in apart and ((groups[0] == 1 and min(groups[1:]) >= 3) or max(groups) <= 2)


def _card(text: str) -> bool:
    return not YEARS.fullmatch(text) and not DATE.search(text) and 15 <= len("".join(NO_DIGITS.split(text))) <= 19


def _no_date(text: str) -> bool:
    return not DATE.search(text)


def _landline(text: str) -> bool:
    return not DATE.search(text) and not public(text)


CHECKED: tuple[tuple[Pattern, Callable[[str], bool]], ...] = (
    (LONG, lambda text: not public(text)),
    (MOBILE, _grouped),
    (LANDLINE, _landline),
    (LANDLINE_APART, _landline),
    (AMERICAN, lambda text: not public(text)),
    (ABROAD, _no_date),
    (TRUNK, _landline),
    (CARD, _card),
    (
        IDENTITY_18,
        lambda text: (
            BIRTHDAY_18.fullmatch("".join(NO_DIGITS.split(text[:-1])) + text[-1].replace("叉", "X")) is not None
        ),
    ),
    (IDENTITY_15, lambda text: BIRTHDAY_15.fullmatch("".join(NO_DIGITS.split(text))) is not None),
)
NAMEABLE = (LONG, CARD, TRUNK, AMERICAN, IDENTITY_15)
