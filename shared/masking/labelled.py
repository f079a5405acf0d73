"""Finds personal data by the label before it: the number after 电话, the id after 微信, the address after 邮箱."""

import re
from collections.abc import Iterator

from shared.masking.folding import NUMERAL, Folded, Span
from shared.masking.numbers import DATE, UNIT, public, thing

# What people write between label and value; never the end of a sentence.
LINK = (
    r"(?:[ :：.=#\"'“”‘’()\[\]【】<>《》,、\-—~*|/+→☎📞📱]|\n(?=[+(]?\d)|是|为|号码|号|码|即|在|有|如下|同号?|这个|"
    r"加|搜索?|请|打|我|的|本人|可以?|"
    r"account|number|no\.?|num|id|is|was|me|us|at|on|to|via|my)"
)
CALL = (
    r"(?:电 ?话|手 ?机|移动电话|座 ?机|固 ?话|宅电|小灵通|热线|致电|拨打|拨|来电|回电|去电|打给|短信|联系方式|联系|"
    r"联络|联电|传真|号码|"
    r"打(?=\d)|话:|(?<![a-z])(?:tel|telephone|phone|mobile|mob|cell|cellphone|call|ring|dial|reach|text|fax|"
    r"whatsapp|contact|t|m|p)(?![a-z])|☎|📞|📱)"
)
NOT_CALL = r"(?!费|机|亭|簿|局|线|卡|销售|诈骗|会议|购|里|通知|支付|公司|店|系统|版|充值)"
# A separator may be a character or two of any kind, but not the end of a sentence or a unit.
LOOSE = r"(?:[^\d\n。!?;元块万亿年月日号层楼栋个%]{0,2}|\n)"
# Parts of four digits at most, with any sign between: 1234，5678.
PARTS = r"\d{1,4}(?:(?:(?:[^\w。!?;元]|_){1,3}|x)\d{1,4}){1,20}(?!\d|年|月|日|元)"
CALLED_IN_PARTS = re.compile(CALL + NOT_CALL + LINK + rf"{{0,8}}(?P<it>{PARTS})", re.IGNORECASE)
CALLED = re.compile(
    CALL
    + NOT_CALL
    + LINK
    + r"{0,8}(?P<it>[+(\[]{0,2}\d(?:[ ().\-/*~·_xX\[\]]{0,3}\d){6,17}(?!\d)"
    + UNIT
    + r"(?:[ \-(]{0,2}(?:转|分机|ext\.?|#|x)[ :]?\d{1,6}\)?)?"
    r"(?:(?: ?(?:[、,;/和及或]|或者|以及) ?|\s)[+(]?\d(?:[ ().\-*~]{0,2}\d){6,14}(?!\d)){0,5})",
    re.IGNORECASE,
)
CALLED_LOOSELY = re.compile(
    CALL + NOT_CALL + LINK + rf"{{0,8}}(?P<it>\+?(?:86)?1{LOOSE}[3-9](?:{LOOSE}\d){{9}})(?!\d)", re.IGNORECASE
)
LANDLINE_CALLED = re.compile(
    CALL + NOT_CALL + LINK + rf"{{0,8}}(?P<it>\(?0(?:10|2\d|[3-9]\d\d)(?:{LOOSE}\d){{7,8}})(?!\d)", re.IGNORECASE
)
PAPERS = (
    r"(?:身 ?份 ?证|证件|公民身份|户口[本簿]|护照|通行证|港澳|台胞证|回乡证|军官证|士兵证|军人证|警官证|士官证|文职|"
    r"军残|残疾人?证|残疾军人|老年证|老年卡|优待证|学生证|"
    r"学籍|学号|考号|考生号|准考证|工号|工作证|教师证|资格证|执业证|结婚证|出生证|居住证|暂住证|驾驶证|驾照|签证|"
    r"绿卡|社 ?保|医 ?保|社会保障|公积金|农保|低保证?|新农合|"
    r"市民卡|公交卡|会员|病历|住院|门诊|就诊|诊疗|病案|挂号|档案号|保单|银行卡|卡 ?号|账 ?号|账户|帐户|存折|存单|"
    r"信用卡|储蓄卡|借记卡|收款|汇款|打款|转账|"
    r"开户[行名]?|(?:用电|用水|用气|水表|电表|气表|燃气|煤气|水费|电费|缴费)?户 ?号|(?:水|电|气)表号|工行|建行|农行|"
    r"中行|招行|交行|邮储|邮政储蓄|农信社?|信用社|(?:工商|建设|"
    r"农业|中国|招商|交通|光大|民生|浦发|兴业|中信|平安|华夏|商业|长沙|广发)银行|支付宝|"
    r"(?<![a-z])(?:id card|identity card|identity|id no|id number|national id|passport|permit|ssn|social security|"
    r"nhs|national insurance|ni number|"
    r"driv(?:er'?s|ing) licen[cs]e|licen[cs]e number|bank card|card|account|acct|iban|tax id|medicare|student id|"
    r"a/c)(?![a-z]))"
)
PAPER = re.compile(
    PAPERS
    + r"(?:[\u4e00-\u9fff]{0,3}?"
    + LINK
    + r"){0,4}?(?:[军士兵文海空政参后装南北沈兰济广成京武警][\u4e00-\u9fff]?字第?)? ?"
    r"(?P<it>[A-Za-z]{0,3}[ \-]?\d(?:[ \-\n.*_/·]{0,2}\d){4,21}(?:[ \-]{0,2}[Xx叉])?(?:\([0-9A-Z]\))?)(?![A-Za-z\d])"
    + UNIT,
    re.IGNORECASE,
)
PAPER_IN_PARTS = re.compile(
    PAPERS + r"(?:[\u4e00-\u9fff]{0,3}?" + LINK + rf"){{0,6}}?(?P<it>{PARTS}(?:.?[Xx叉])?)", re.IGNORECASE
)
MAIL_LABEL = r"(?:邮 ?箱|邮件|电邮|信箱|伊妹儿|e-? ?mail|(?<![a-z])mail)"
MAILED = re.compile(
    MAIL_LABEL
    + r"(?:地址|账号|address)?"
    + LINK
    + r"{0,6}(?P<it>[A-Za-z0-9](?:[A-Za-z0-9._%+\-@#*$&!~ ()\[\]{}<>/\\|]|艾特|圈[aA]|小老鼠|爱特|[在点杠](?=[A-Za-z0-9 ]))"
    r"{3,60}[A-Za-z0-9)\]}])",
    re.IGNORECASE,
)
QQ_LABEL = (
    r"(?:(?<![a-z])q ?q|扣扣|扣 ?q|企鹅|球球|秋秋|(?<=[加我的联系+有事])q(?=[^a-z])|(?<![a-z])q(?= ?[号群:=]))(?:群|"
    r"邮箱|号|聊|" + LINK + r"){0,8}"
)
QQ = re.compile(QQ_LABEL + r"(?P<it>\d(?:[ \-.,*_/~·]{0,2}\d){4,11})(?!\d)" + UNIT, re.IGNORECASE)
QQ_IN_PARTS = re.compile(QQ_LABEL + rf"(?P<it>{PARTS})", re.IGNORECASE)
QQ_SPOKEN = re.compile(QQ_LABEL + rf"(?P<it>{NUMERAL}(?:[ \-、,]{{0,2}}{NUMERAL}){{4,11}})", re.IGNORECASE)
WECHAT = (
    r"(?:微 ?信|薇 ?信|威信|维信|徽信|卫星号|围脖信|微芯|微 ?x|微 ?❤|v ?信|v ?❤|we ?chat|weixin|wei xin|"
    r"(?<![a-z])(?:v ?x|w ?x|wxid)(?![a-z]))"
)
HAN_APPS = (
    r"(?:抖音|快手|小红书|微博|围脖|b站|支付宝|钉钉|钉号|陌陌|飞信|探探|头条|贴吧|知乎|豆瓣|淘宝|旺旺|京东|闲鱼|虎牙|"
    r"斗鱼|直播|视频号|网名|昵称|用户名|账号|账户名|会员名|电报)"
)
LATIN_APPS = (
    r"(?:(?<![a-z])(?:soul|telegram|tg|line|skype|whatsapp|signal|facebook|fb|twitter|instagram|ins|weibo|tiktok|"
    r"douyin|snapchat|discord|steam|username|user|login|"
    r"handle|yy|qq|id)(?![a-z]))"
)
APPS = rf"(?:{WECHAT}|{HAN_APPS}|{LATIN_APPS}|(?<![a-z])v(?= ?[:号信+])|(?<=[加+➕扫])v|(?<=加我)v)"
NOUN = r"(?: ?(?:号码|号|账号|名称?|昵称|同号|联系|加我|找我|私信|私聊|account|number|name|handle|id))"
ID = r"[A-Za-z0-9][A-Za-z0-9_\-.]{3,29}(?<![.\-])"
# After a word such as 号, or a sign, everything is an id.
CALLED_ID = re.compile(
    rf"{APPS}(?:{NOUN}{{1,2}}(?: ?[:=(\[\"'“【<,\-—~→@] ?| ?[是为叫即] ?| |is ){{0,3}}|(?: ?[:=(\[\"'“【<,\-—~→@] ?|"
    rf" ?[是为叫即] ?| ?(?:is|搜索?|加我?|请加) ?:? ?){{1,3}})"
    rf"(?P<it>{ID})",
    re.IGNORECASE,
)
# Without one: text with a digit or an underscore, and letters alone directly after a Chinese label or after 加.
GLUED_ID = re.compile(
    rf"{APPS} ?(?P<it>(?=[A-Za-z_\-.]{{0,29}}[\d_])[A-Za-z0-9][A-Za-z0-9_\-]{{3,29}}|\d{{6,12}})"
    rf"|(?:加|我的?|联系|添加|搜|扫)(?:我的?|你|一下)?{WECHAT} ?(?P<also>[A-Za-z][A-Za-z0-9_\-]{{4,29}})"
    rf"|(?:微信|薇信|威信|v信|{HAN_APPS})(?P<letters>[A-Za-z][A-Za-z\-]{{5,19}})(?![A-Za-z0-9 ])|"
    rf"(?<![A-Za-z])[vw]x (?P<apart>[A-Za-z\-]{{6,20}})(?![A-Za-z0-9 ])",
    re.IGNORECASE,
)
# The name of an account is recognisable in Chinese text without any label.
HANDLE = re.compile(
    r"(?<![A-Za-z0-9./@:_%&=?\-])(?:wxid_[a-z0-9]{5,20}|id[_:][A-Za-z0-9_]{4,20}|"
    r"[a-z]{4,14}[_\-]?\d{2,8})(?![A-Za-z0-9@/]|\.[A-Za-z0-9])"
)
MENTION = re.compile(
    r"(?:微博|抖音|快手|小红书|网名|昵称|weibo|twitter|tiktok)[^\n。]{0,6}@(?P<it>[\w\-\u4e00-\u9fff]{2,20})",
    re.IGNORECASE,
)
NO_HANDLE = re.compile(
    r"(?:windows|iphone|ipad|covid|android|office|photoshop|version|galaxy|huawei|mate|honor|redmi|formula|http|"
    r"html|flash|page|line|route|room|covid|apec|step|level|part|phase|block)[_\-]?\d+",
    re.IGNORECASE,
)
NO_ID = frozenset(
    [
        "android",
        "iphone",
        "moments",
        "payment",
        "payments",
        "official",
        "windows",
        "version",
        "group",
        "groups",
        "video",
        "article",
        "public",
        "service",
        "app",
        "apps",
        "pay",
        "mini",
        "program",
    ]
)
HAN = re.compile(r"[\u4e00-\u9fff]")
MOST = 21


def labelled_spans(text: Folded) -> Iterator[Span]:
    """Finds what a label before it marks as personal data."""
    for words in dict.fromkeys((text.plain, text.numbers)):
        for pattern in (CALLED, CALLED_LOOSELY, LANDLINE_CALLED):
            for found in pattern.finditer(words):
                if not public(found["it"]) and not DATE.search(found["it"]):
                    yield found.span("it")
        for pattern, fewest in ((CALLED_IN_PARTS, 7), (PAPER_IN_PARTS, 8), (QQ_IN_PARTS, 5)):
            for found in pattern.finditer(words):
                count = sum(char.isdigit() for char in found["it"])
                if fewest <= count <= MOST and not public(found["it"]) and not DATE.search(found["it"]):
                    yield found.span("it")
        yield from (found.span("it") for found in QQ_SPOKEN.finditer(words))
        for pattern in (PAPER, QQ):
            for found in pattern.finditer(words):
                if not DATE.search(found["it"]) and not thing(words, found.start("it")):
                    yield found.span("it")
    yield from (found.span("it") for found in MAILED.finditer(text.plain) if _address(found["it"]))
    yield from account_spans(text.plain)


def account_spans(text: str) -> Iterator[Span]:
    """Finds names of accounts."""
    for found in CALLED_ID.finditer(text):
        if found["it"].lower() not in NO_ID:
            yield found.span("it")
    for found in GLUED_ID.finditer(text):
        part = found.lastgroup
        if part and found[part].lower() not in NO_ID:
            yield found.span(part)
    yield from (found.span("it") for found in MENTION.finditer(text))
    for found in HANDLE.finditer(text):
        around = text[max(0, found.start() - 12) : found.start()] + text[found.end() : found.end() + 12]
        if HAN.search(around) and not NO_HANDLE.fullmatch(found[0]):
            yield found.span()


def _address(text: str) -> bool:
    """Whether the text after 邮箱 can be an address: it has a substitute for @, or the digits of a QQ mail address."""
    return any(
        one in text.lower() for one in ("@", "at", "#", "*", "艾特", "爱特", "圈a", "小老鼠", "在", "$", "&")
    ) or (" " not in text and sum(char.isdigit() for char in text) >= 5)
