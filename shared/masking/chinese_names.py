"""Finds names of persons in Chinese text: after words that announce one, before titles, and where the model finds one.

A rule proposes where a name begins. The model's words decide where it ends, and whether it is an ordinary word.
"""

import re
from collections.abc import Iterator, Sequence

from shared.masking.addresses import PROVINCE
from shared.masking.folding import Span
from shared.masking.known_names import TITLE
from shared.masking.lexicon import PERSON, Word
from shared.masking.name_words import COMPOUND_SURNAMES, EVERYDAY_HAN, NOBODY, PLAIN_SURNAMES, PUBLIC_FIGURES, SURNAMES
from shared.masking.person_words import CALLED, KIN, PEOPLE

HAN = r"[\u4e00-\u9fff]"
SURNAME = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{SURNAMES}])"
PLAIN_SURNAME = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{PLAIN_SURNAMES}])"
LINK = r"[ :\"'“”(\[【<_|]{0,3}"
# 叫 after a word for a person; alone it also means to call.
CALLS = re.compile(
    rf"(?:(?P<surely>{CALLED}|(?:{PEOPLE}|{KIN})的?(?:名字|名|姓名)?叫)|姓名|署名|签名|落款|(?<=[,。.;!?\n ])叫)(?:做|是|"
    rf"为)?{LINK}(?P<it>{HAN})"
)
LABELLED = re.compile(
    rf"(?:{PEOPLE}|{KIN})(?:(?P<sign>[ :\"“(\[【]{{0,2}}:[ :\"“(\[【]{{0,2}})|[ \"“(\[【]{{1,3}}|姓名{LINK}|是|为|"
    rf",(?={SURNAME}{HAN}{{1,2}}[,。;!(]))?(?P<it>{SURNAME}{HAN})"
)
# A name follows such a word and a colon.
SIGNED = re.compile(
    rf"(?:{HAN}(?:人|者|员|名|主|客|户|方|属|款|字)|[Nn]ame|[Ff]rom|[Cc]ontact) ?: ?(?P<it>{SURNAME}{HAN})"
)
ORDINARY_STARTS = frozenset({"v", "vd", "vn", "a", "ad", "an", "c", "p", "r", "m", "TIME", "LOC", "ORG", "t", "s", "f"})
BARE = re.compile(
    rf"(?:本人|我是|我系|这是|我,|我:|敬礼|此致|谢谢|感谢|(?:业主|村民|居民|市民|学生|家长|员工|职工|网友|租户|住户|"
    rf"农民|司机|教师|老师|老兵)|[\n(\[【<“\"]|^|"
    rf"[一-]{{2}}|(?<=[。!?;.,]))"
    rf"[ \n,:!。]{{0,4}}(?P<it>{SURNAME}{HAN})"
)
STOPS = (
    r"(?=[\s,，。.、;；:：!！?？()（）《》<>\[\]【】\"“”'/\d~\-]|$|＊|[A-Za-z]|是|系|男|女|家住|住|现|身份|电话|"
    r"今年|手机|联系|来自|于|和|与|及|在|性别|年龄|"
    r"敬上|敬启|谨|拜上|"
    r"因|已|被|向|说|等|及|同志|先生|女士|小姐|某|的)"
)
ENDS = re.compile(STOPS)
ENDS_SURELY = re.compile(r"(?=[\s,，。.、;；:：!！?？()（）\"“”]|$|＊)")
FAMILY = re.compile(rf"(?:本人|我|免贵|贵|他|她)姓(?P<it>{SURNAME})(?!什么|名|氏)")
TITLED = re.compile(
    rf"(?P<it>{SURNAME}) ?(?:先生|女士|小姐|太太|阿姨|大爷|大妈|大叔|大娘|师傅|某{{1,2}}(?![年月日天个种些人地]))"
)
ELDER = re.compile(
    rf"(?<!{HAN})(?P<it>[小老阿]{PLAIN_SURNAME})(?=[,。.;:!、 说的和]|$)|(?:叫我|我是|联系|找|喊我|"
    rf"称呼我?)(?P<also>[小老阿]{PLAIN_SURNAME}(?:{TITLE})?)"
)
SPACED = re.compile(
    rf"(?:(?<![\u4e00-\u9fff ])|(?:{CALLED}|{PEOPLE}|{KIN}|本人|"
    rf"我是){LINK})(?P<it>{SURNAME}(?P<gap>[ ·.*_\-/]{{1,2}}){HAN}(?:(?P=gap){HAN})?)(?![ ·.*_\-/]?{HAN}(?P=gap)|"
    rf"{HAN}{{2}}|{HAN}(?=[ ]))"
)
DOTTED = re.compile(rf"(?:{CALLED}|{PEOPLE}|{KIN}|我是|本人)?[是为叫]?(?P<it>{HAN}{{2,7}}(?:[·•]{HAN}{{2,7}}){{1,3}})")
INITIALLED = re.compile(
    rf"(?:{CALLED}|{PEOPLE}|{KIN}|我是|本人){LINK}(?P<it>{SURNAME}(?:[A-Z][A-Za-z]?\.?|"
    rf"[xX某*＊○O〇]{{1,2}}){HAN}?)(?![A-Za-z0-9])"
)
OFFICE = re.compile(
    r"(?:总书记|书记|市长|厅长|局长|主任|县长|区长|镇长|乡长|村长|科长|处长|院长|校长|所长|队长|主席|部长|省长|总理|"
    r"经理|董事长|总裁|司长|股长|组长|行长|园长|站长|庭长|检察长|秘书长|"
    r"委员|老师|医生|律师|"
    r"法官|警官|教授|工程师|领导|大人|总|导|局|市|厅|处)$"
)
PLACE = re.compile(
    r"[路街巷镇乡村桥湾冲塘坪岭山湖河江县市区院校店厂寺庙墓祠堂里组大牌杯]|小[学区]|中学|高[速铁]|公[路司]|广场|"
    r"集团|置业|置地|物业|地产|项目|瓷砖|歌厅|酒店|"
    r"超市|办事处|分校|故居|家庭|精神|煤气|快递|银行|保险"
)
PLATE = re.compile(rf"[{PROVINCE}][A-Za-z]")
PURE = re.compile(rf"{HAN}+(?:[·•]{HAN}+)*")
FUNCTION_WORDS = frozenset({"d", "p", "c", "u", "r", "xc", "f"})
NEVER_FIRST = (
    "他她它你您大过了不没去来这那谁什怎哪就也都再还又让把被给请其另此各每某本该我们啥车救妈爸爷奶外价骂喊啊吧呢吗做是为"
)
NEVER_LAST = "是住系男女今的在有为现于因家和与要想也就不已被向说等该"
OTHER_KINDS = frozenset(
    {"m", "w", "xc", "TIME", "t", "p", "c", "u", "r", "d", "v", "vn", "vd", "LOC", "ORG", "s", "f", "q"}
)
LONGEST = 8


def chinese_name_spans(text: str, words: Sequence[Word]) -> Iterator[Span]:
    """Finds names: those that the text announces first."""
    seen = Seen(text, words)
    for found in CALLS.finditer(text):
        yield from seen.name_at(found.start("it"), surely=True, foreign=bool(found["surely"]))
    for found in FAMILY.finditer(text):
        yield found.span("it")
    for pattern in (SPACED, INITIALLED):
        yield from (found.span("it") for found in pattern.finditer(text))
    yield from (found.span("it") for found in DOTTED.finditer(text) if not seen.place(found.end()))
    for found in LABELLED.finditer(text):
        yield from seen.name_at(
            found.start("it"), surely=found["sign"] is not None, warily=not words and not found["sign"]
        )
    for found in SIGNED.finditer(text):
        yield from seen.name_at(found.start("it"), surely=True)
    for found in BARE.finditer(text):
        yield from seen.name_at(found.start("it"), warily=True)
    for found in TITLED.finditer(text):
        if seen.begins(found.start("it")):
            yield found.span("it")
    yield from (found.span("it" if found["it"] else "also") for found in ELDER.finditer(text))
    yield from seen.persons()


class Seen:
    """A text with the words that the model finds in it; no words without a model."""

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self.text = text
        self.starting = {word.start: word for word in words}
        self.ends = {word.end for word in words}

    def begins(self, start: int) -> bool:
        """Whether a word begins at `start`; without a model, whether `start` is not inside a common word."""
        if self.starting:
            return start in self.starting
        return self.text[max(0, start - 1) : start] not in tuple("对关由属至处等位男女我贵乙甲双")

    def place(self, end: int) -> bool:
        """Whether the text at `end` makes the name before it the name of a place."""
        return PLACE.match(self.text, end) is not None and not ENDS_SURELY.match(self.text, end)

    def persons(self) -> Iterator[Span]:
        """Finds the words that the model classifies as names of persons."""
        for word in self.starting.values():
            if word.kind == PERSON:
                start, end = self._without_title(word.start, word.end)
                if self._is_name(start, end) and self._likely(start, end) and not self.place(end):
                    yield start, self._to_the_end(start, end)

    def name_at(self, start: int, surely: bool = False, warily: bool = False, foreign: bool = False) -> Iterator[Span]:
        """Finds the name that begins at `start`. `surely`: the text announces a name; `warily`: the text hardly does."""
        word = self.starting.get(start)
        if word is not None and word.kind == PERSON:
            begin, end = self._without_title(word.start, word.end)
            if self._is_name(begin, end) and (not warily or (self._likely(begin, end) and not self.place(end))):
                yield begin, self._to_the_end(begin, end)
            return
        if word is None and self.starting and not surely:
            return
        if self.text[start] in NEVER_FIRST and not (surely and self.text[start : start + 2] in COMPOUND_SURNAMES):
            return
        for length in self._lengths(start, surely, foreign):
            if self._fits(start, start + length, surely, warily):
                yield start, start + length
                return

    def _lengths(self, start: int, surely: bool, foreign: bool) -> Sequence[int]:
        if self.text[start : start + 2] in COMPOUND_SURNAMES:
            return (4, 3)
        if self.text[start] not in SURNAMES:
            return (2, 3, 4, 5, 6, 7) if foreign else ()
        double = surely and self.text[start + 1 : start + 2] in tuple(SURNAMES)
        return (4, 3, 2) if double else (3, 2)

    def _fits(self, start: int, end: int, surely: bool, warily: bool) -> bool:
        name = self.text[start:end]
        if len(name) < end - start or not re.fullmatch(f"{HAN}+", name) or name in NOBODY or name in PUBLIC_FIGURES:
            return False
        if not surely and OFFICE.search(name[1:]):
            return False
        if len(name) > 2 and name[-1] in NEVER_LAST:
            return False
        if self._ordinary(start, end, surely):
            return False
        if warily:
            return len(name) == 3 and name[0] in PLAIN_SURNAMES and ENDS_SURELY.match(self.text, end) is not None
        if ENDS.match(self.text, end):
            return (
                name[0] in SURNAMES
                or name[:2] in COMPOUND_SURNAMES
                or (surely and ENDS_SURELY.match(self.text, end) is not None)
            )
        if surely and name[0] in SURNAMES and self.text[end] in NEVER_LAST:
            return True
        return len(name) > 2 and end in self.ends and name[0] in SURNAMES

    def _ordinary(self, start: int, end: int, surely: bool) -> bool:
        """Whether the model finds an ordinary word of two or more characters at this place."""
        for at in range(start, end):
            word = self.starting.get(at)
            if word is None or word.end - word.start < 2 or word.kind in (PERSON, "nz", "nw"):
                continue
            # The model classifies some names as rare particles.
            if word.start == start and word.end == end and end - start > 2 and word.kind in FUNCTION_WORDS:
                continue
            if not surely:
                return True
            if at == start and word.kind in ORDINARY_STARTS and not (word.kind == "LOC" and word.end - at == 2):
                return True
            if word.end > end and at < end - 1:
                return True
        return False

    def _without_title(self, start: int, end: int) -> Span:
        name = self.text[start:end]
        # The model adds characters without a space to the name: 王小明K3.
        if (glued := PURE.match(name)) and glued.end() > 1:
            name = glued[0]
        bare = re.sub(f"(?:{TITLE})$", "", name)
        if bare == name and (office := OFFICE.search(name)) and office.start() > 0:
            bare = name[: office.start()] if office.start() > 1 else ""
        return start, start + len(bare)

    def _likely(self, start: int, end: int) -> bool:
        """Whether the model's guess counts as a name when nothing else in the text announces one."""
        name = self.text[start:end]
        if PLATE.match(self.text, end - 1):
            return False
        if name.isascii() or name[0] in SURNAMES or name[:2] in COMPOUND_SURNAMES:
            return name not in EVERYDAY_HAN
        if len(name) == 2 and name[0] in "小老阿":
            return name[1] in SURNAMES
        return len(name) > 2 and name[0] not in "小老阿大"

    def _to_the_end(self, start: int, end: int) -> int:
        """Returns the end of a name whose last character the model has assigned to the next word."""
        further = self.starting.get(end)
        if end - start != 2 or self.text[start] not in SURNAMES or further is None or further.end != end + 1:
            return end
        goes_on = not re.match(HAN, self.text[end : end + 1]) or self.text[end] in NEVER_LAST
        follows = ENDS_SURELY.match(self.text, end + 1) or re.match(TITLE, self.text[end + 1 : end + 4])
        return end if goes_on or not follows else end + 1

    def _is_name(self, start: int, end: int) -> bool:
        name = self.text[start:end]
        if (
            not name
            or name in NOBODY
            or name in PUBLIC_FIGURES
            or any(char.isdigit() or char in "＊*" for char in name)
        ):
            return False
        if name.isascii():
            return len(name) > 3 and name.isalpha() and name[0].isupper() and not name.isupper()
        if not PURE.fullmatch(name):
            return False
        titled = re.match(TITLE, self.text[end : end + 3]) is not None
        return 1 < len(name) <= LONGEST + 8 or (len(name) == 1 and titled)
