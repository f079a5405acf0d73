"""Folds a text to one plain character for each visible one, so that one rule covers every notation.

Folding removes full-width, circled and mathematical forms, accents, unusual spaces and hyphens, traditional characters
in labels and surnames, and invisible characters. Positions in the folded text map back to the original text.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Span = tuple[int, int]

BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
DASHES = "‐‑‒–—―−﹣－─⁃﹘"
UNFOLDED = (range(0x3400, 0xA000), range(0xAC00, 0xD7B0), range(0xE000, 0xF900), range(0x3040, 0x3100))
FOLDED_UP_TO = 0x20000
TAGS = range(0xE0000, 0xE0200)
TRADITIONAL = (
    "電话話话機机聯联繫系號号碼码證证護护車车戶户業业陳陈劉刘楊杨黃黄趙赵吳吴孫孙馬马鄭郑許许韓韩馮冯蕭萧葉叶鄧邓呂吕蘇苏盧卢"
    "蔣蒋賈贾魯鲁鍾钟鐘钟譚谭陸陆範范龍龙羅罗張张齊齐賴赖龐庞顏颜聶聂關关歐欧鄒邹萬万錢钱嚴严湯汤溫温莊庄榮荣蘭兰麗丽華华國国"
    "偉伟強强軍军東东陽阳勝胜學学師师衛卫紅红連连選选鎖锁貴贵賓宾賢贤飛飞鳳凤鵬鹏龔龚門门閆闫閻阎賀贺費费時时來来個个與与為为這这"
    "姪侄爺爷媽妈媳媳嶽岳親亲妳你銀银帳账賬账臺台灣湾區区縣县鄉乡鎮镇樓楼棟栋單单間间應应轉转郵邮箱箱維维網网誰谁"
)
NUMERALS = {
    **dict.fromkeys("零〇○◯洞", "0"),
    **dict.fromkeys("一壹幺弌", "1"),
    **dict.fromkeys("二贰貳两弍", "2"),
    **dict.fromkeys("三叁參叄弎", "3"),
    **dict.fromkeys("四肆", "4"),
    **dict.fromkeys("五伍", "5"),
    **dict.fromkeys("六陆", "6"),
    **dict.fromkeys("七柒拐", "7"),
    **dict.fromkeys("八捌", "8"),
    **dict.fromkeys("九玖勾", "9"),
}
NUMERAL = f"[{''.join(NUMERALS)}]"
BETWEEN = r"[ \n.\-_/()*~、,]{0,2}"
# A numeral at the end can be the start of the next word: 一直, 三天.
SPOKEN = re.compile(
    rf"(?:(?:\d|{NUMERAL}){BETWEEN}){{6,40}}(?:\d|{NUMERAL}(?![直个下些定般起次家样边种天年月日人栋层楼位点块元]))"
)
FEWEST_SPOKEN = 3
LOOKALIKES = str.maketrans("OoQIl|", "000111")
LOOKALIKE = re.compile(
    r"(?<![A-Za-z0-9])[1lI|][ \-.]?[3-9][ \-.]?[\dOo](?:[ \-.]?[\dOoQIl|]){8}(?![A-Za-z0-9])|"
    r"(?<![A-Za-z0-9])(?=(?:[OoQIl| \-.]{0,3}\d){5})[\dOoQIl|](?:[ \-.]?[\dOoQIl|]){8,20}(?![A-WYZa-wyz0-9])"
)
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `numbers` is as long as `plain` and has digits in place of numerals and lookalikes."""

    plain: str
    numbers: str
    places: Sequence[int]
    length: int

    def written(self, span: Span) -> Span:
        """Maps a span to the original text, including the invisible characters after it."""
        start, end = span
        return self.places[start], self.places[end] if end < len(self.places) else self.length


def fold(text: str) -> Folded:
    """Folds a text and removes invisible characters."""
    mapped = text.translate(TABLE)
    places = [at for at, char in enumerate(mapped) if char != HIDDEN]
    plain = mapped.replace(HIDDEN, "")
    return Folded(plain, in_digits(plain), places, len(text))


def in_digits(plain: str) -> str:
    """Replaces numerals (一三八…) and lookalikes (O for 0) by digits where several follow each other."""
    return LOOKALIKE.sub(lambda found: found[0].translate(LOOKALIKES), SPOKEN.sub(_digits, plain))


def _digits(found: re.Match[str]) -> str:
    numerals = sum(char in NUMERALS for char in found[0])
    return "".join(NUMERALS.get(char, char) for char in found[0]) if numerals >= FEWEST_SPOKEN else found[0]


HIDDEN = "\ue001"


def _table() -> dict[int, str]:
    """Maps each character to one plain character, and an invisible one to `HIDDEN`."""
    codes: Iterable[int] = (code for code in range(FOLDED_UP_TO) if not any(code in part for part in UNFOLDED))
    table = {code: form for code in codes if (form := _folded(chr(code))) is not None}
    table.update(dict.fromkeys((*TAGS, *map(ord, BLANK)), HIDDEN))
    table.update(dict.fromkeys(map(ord, DASHES), "-"))
    table.update(zip(map(ord, TRADITIONAL[::2]), TRADITIONAL[1::2], strict=True))
    table[ord("ー")] = "-"
    table.update({ord("×"): "x", ord("ⓐ"): "@", ord("Ⓐ"): "@"})
    table[ord(HIDDEN)] = HIDDEN
    return table


def _folded(char: str) -> str | None:
    """Returns the plain form of a character; None if it is plain already."""
    category = unicodedata.category(char)
    if char in "\n ":
        return None
    if char in "\t\v\f\r\x85\u2028\u2029":
        return "\n" if char in "\v\f\u2028\u2029" else " "
    if category in ("Cc", "Cf", "Mn", "Me") or 0xFE00 <= ord(char) <= 0xFE0F:
        return HIDDEN
    if char.isascii():
        return None
    if (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    if category == "Zs":
        return " "
    bare = [one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one)]
    return bare[0] if len(bare) == 1 and bare[0] != char else _numeral(char)


def _numeral(char: str) -> str | None:
    """Returns the digit of numerals such as ㈠, 〡 and ⓵, which are all 1."""
    value = unicodedata.numeric(char, None)
    return str(int(value)) if value is not None and value in range(10) and char not in NUMERALS else None


TABLE = {code: sys.intern(form) for code, form in _table().items()}
