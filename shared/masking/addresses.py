"""Finds e-mail addresses (disguised ones too), home addresses and number plates in folded text."""

import re
from collections.abc import Iterator

from shared.masking.folding import Span

# ── e-mail ───────────────────────────────────────────────────────────────────

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*+)"
TOP = (
    r"(?:com|cn|net|org|edu|gov|example|info|me|io|cc|top|xyz|vip|hk|tw|mo|uk|us|eu|de|fr|jp|kr|au|ca|biz|mobi|name|"
    r"pro|co|in|ru|app|dev|email)"
)
PROVIDER = (
    r"(?:qq|163|126|139|189|188|yeah|foxmail|gmail|hotmail|outlook|sina|sohu|yahoo|aliyun|icloud|live|msn|tom|21cn|wo|"
    r"mail)"
)
DOT = r"(?:\.\n| ?[\[({<【] ?(?:dot|\.|点|d0t) ?[\])}>】] ?| ?(?:点|。|·|,|\.) ?| (?:dot|d0t) )"
# What always means @, and what may also be an ordinary word.
AT = (
    r"(?:&#64;|%40| ?[\[({<【] ?(?:at|@|a|艾特|圈a|#) ?[\])}>】] ?| ?(?:@|艾特|爱特|圈[aA]|小老鼠|@@|, ?@) ?|"
    r"(?<=[a-z0-9])(?-i:AT)(?=[a-z0-9])|@\n)"
)
AT_MAYBE = r"(?: at |_at_|-at-| ?[#*$&] ?|在| ?(?:\(a\)|ⓐ) ?)"
LOCAL = r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9](?:[A-Za-z0-9._%+\-'’!$^~/=]*+)"
LOCAL_APART = (
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9](?:[A-Za-z0-9_%+\-'’]|\.(?=[A-Za-z0-9])|(?: ?[\[(] ?(?:dot|\.|点) ?[\])] ?| "
    r"dot |点)(?=[A-Za-z0-9])){0,63}"
)
MAIL = re.compile(rf"{LOCAL}\s?@\s{{0,2}}{HOST}(?:\.\n?{HOST})*+(?: ?[。,. ] ?{TOP}(?![A-Za-z0-9]))*+", re.IGNORECASE)
DISGUISED = re.compile(
    rf"{LOCAL_APART}(?:{AT}\n?{HOST}(?:{DOT}{HOST}){{0,3}}?{DOT}{TOP}(?![A-Za-z0-9])|"
    rf"{AT}\n?{PROVIDER}(?:{DOT}{TOP})?(?![A-Za-z0-9])"
    rf"|{AT}\n?(?:{HOST}{DOT})?{HOST}|{AT_MAYBE}{HOST}(?:{DOT}{HOST}){{0,2}}?{DOT}{TOP}(?![A-Za-z0-9])|"
    rf"{AT_MAYBE}{PROVIDER}{DOT}{TOP}(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
# Any sign can replace @ before a complete host name, and the characters can have spaces between them.
SIGNED = re.compile(rf"{LOCAL}[^\w\s\u4e00-\u9fff.,/:;!?]{{1,3}}{HOST}\.{TOP}(?![A-Za-z0-9])", re.IGNORECASE)
LETTERS = re.compile(r"(?:(?<![A-Za-z0-9])[A-Za-z0-9._\-] ){3,40}@(?: [A-Za-z0-9.\-](?![A-Za-z0-9])){3,40}")
# The part before @ may contain a space or two after a label for e-mail or at the end of a Chinese sentence.
START = re.compile(r"(?<=[\u4e00-\u9fff:。])[:： ]?(?P<it>(?:[A-Za-z0-9._\-]{1,20}[ …,]{1,2}){1,2})$")

# ── homes ────────────────────────────────────────────────────────────────────

NUMERAL = r"(?:\d{1,4}|[一二三四五六七八九十百零〇]{1,4})"
NO = rf"(?:[A-Za-z]?-?{NUMERAL}[A-Za-z]?|[A-Za-z甲乙丙丁东西南北])"
BUILDING = rf"{NO} ?(?:号楼|号院|栋|幢|座|棟|楼栋|#楼|号(?=\d))"
STAIR = rf"{NO} ?(?:单元|门洞?|梯)"
FLOOR = rf"{NUMERAL} ?(?:楼|层)"
ROOM = rf"(?:[A-Za-z]?\d{{2,4}}[A-Za-z]?|{NUMERAL}) ?(?:室|号房?|房间?|户|门)"
BARE_ROOM = r"\d{3,4}(?![\d年月日元米平户个人号])"
GAP = r"[ ,\-—]{0,2}"
FLAT = (
    rf"(?:{BUILDING}{GAP}(?:{STAIR}{GAP}(?:{FLOOR}{GAP})?(?:{ROOM}|{BARE_ROOM})?|(?:{FLOOR}{GAP})?(?:{ROOM}|"
    rf"{BARE_ROOM}))"
    rf"|{STAIR}{GAP}(?:{FLOOR}{GAP})?(?:{ROOM}|{BARE_ROOM}))"
)
DASHED = r"(?<![\d\-])\d{1,3}-\d{1,2}-\d{3,4}(?:-\d{1,3})?(?![\d\-年月])"
# The names of street and housing estate before it belong to the address; the sentence before them does not.
ESTATE = re.compile(r"小区|花园|家园|苑|公寓|新村|社区|山庄|名邸|名城|华庭|城|府|湾|里|村|院|路|街|巷|道|弄|胡同|号")
LIVING = re.compile(r"家住|现住|租住|居住|我住|住在|住于|住|在|位于|地址|我们?是|本人是|我家|系|到|去|与|和|从|的")
NO_PLACE = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9]")
HOME = re.compile(FLAT)
LONGEST_BEFORE = 28
TOWN = re.compile(r"镇|乡|街道|[\u4e00-\u9fff]{2}")
VILLAGE = re.compile(rf"(?:村|社区)[\u4e00-\u9fff]{{0,4}}?{NUMERAL} ?(?:组|队|社)(?: ?{NUMERAL}号)?")
ADDRESSED = re.compile(
    r"(?:家庭住址|家庭地址|现住址?|居住地址?|住址|住所|户籍地址?|户籍所在地|通讯地址|通信地址|联系地址|收件地址|"
    r"收货地址|邮寄地址|身份证地址|"
    r"home address|my address|(?<![a-z])address)(?: ?[:是为] ?| is )(?P<it>[^\n,。;!?]{4,48})",
    re.IGNORECASE,
)
PARTS = "号|栋|幢|座|室|组|单元|弄|房|楼|层|户|队|门|排"
HOUSE = re.compile(
    rf"(?:家住|我住(?!院|房|进|不|宿)|本人住(?!院|房)|住在|住于|租住在?|居住于?在?|现住|户籍|住址|"
    rf"地址)[ :]{{0,2}}(?P<it>[^\n,。;!?]{{2,30}}?{NUMERAL} ?(?:{PARTS})"
    rf"(?:[^\n,。;!?]{{0,6}}?{NUMERAL} ?(?:{PARTS})|-?\d{{2,4}}(?!\d|年|月))*)"
)
OFFICE = re.compile(
    r"(?:局|厅|中心|委员?会?|办公?[室楼]?|政府|机关|大楼|大厦|窗口|科|处|所|站|法院|检察院|医院|学校|大学|银行|"
    r"公司)[^,。;!?\n]{0,8}$"
)
STREET = re.compile(
    r"(?:(?:flat|apt\.?|apartment|unit|room|suite) ?#?[A-Z]?\d{1,4}[A-Z]?,? )?(?<![\d.$])\d{1,5}[A-Z]? "
    r"(?:[A-Z][A-Za-z']{1,20} ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Close|Crescent|Way|Terrace|Place|Gardens?|"
    r"Boulevard|Blvd)\b\.?"
    r"(?:,? (?:[Ff]lat|[Aa]pt\.?|[Aa]partment|[Uu]nit|[Rr]oom|#) ?#?[A-Z]?\d{0,4}[A-Z]?)?"
)

# ── plates ───────────────────────────────────────────────────────────────────

PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
PLATE = re.compile(
    rf"[{PROVINCE}][ \-]?[A-Za-z][ ·•.\-_*/]{{0,3}}(?=[A-Za-z0-9 \-]{{0,6}}\d)(?:[A-Za-z0-9][ \-.]?){{4,5}}"
    r"[A-Za-z0-9学警港澳挂领](?![A-Za-z0-9])"
    rf"|[{PROVINCE}][A-Za-z] ?牌? ?(?=[A-Za-z0-9]{{0,5}}\d)[A-Za-z0-9]{{5,6}}(?![A-Za-z0-9])"
)
PLATE_CALLED = re.compile(
    r"(?:车 ?牌号?码?|牌照|车号|号牌|license plate|licence plate|plate (?:no\.?|number))(?:[ :是为号码\"“”()]|尾号|"
    r"is|no\.?){0,5}"
    rf"(?P<it>[{PROVINCE}]?[ \-]?[A-Za-z0-9](?:[ ·•.\-]{{0,2}}[A-Za-z0-9]){{3,7}})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def address_spans(text: str) -> Iterator[Span]:
    """Finds e-mail addresses, home addresses and number plates."""
    for pattern in (MAIL, DISGUISED, SIGNED, LETTERS):
        for found in pattern.finditer(text):
            before = START.search(text, max(0, found.start() - 48), found.start())
            yield before.start("it") if before else found.start(), found.end()
    yield from (found.span() for found in PLATE.finditer(text))
    yield from (found.span("it") for found in PLATE_CALLED.finditer(text) if any(map(str.isdigit, found["it"])))
    yield from home_spans(text)


def home_spans(text: str) -> Iterator[Span]:
    """Finds home addresses: those that name a flat or a house. The room of an office is not one."""
    for found in HOME.finditer(text):
        if not OFFICE.search(text, max(0, found.start() - 14), found.start()):
            yield _with_place(text, found.start(), ESTATE), found.end()
    for found in VILLAGE.finditer(text):
        yield _with_place(text, found.start(), TOWN), found.end()
    for pattern in (ADDRESSED, HOUSE):
        yield from (found.span("it") for found in pattern.finditer(text))
    yield from (found.span() for found in STREET.finditer(text))


def _with_place(text: str, start: int, places: re.Pattern[str]) -> int:
    """Returns where the address begins whose house or flat begins at `start`."""
    before = text[max(0, start - LONGEST_BEFORE) : start]
    for boundary in (NO_PLACE, LIVING):
        if found := list(boundary.finditer(before)):
            before = before[found[-1].end() :]
    return start - len(before) if places.search(before) else start
