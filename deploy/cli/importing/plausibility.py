"""Whether decoded text can be Chinese: how often the characters occur that every Chinese text is full of."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

# Most of running Chinese consists of a few hundred characters; text decoded wrongly has hardly any of them.
FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子得于着下自之年过发后作里用道行所然家事成方多经"
    "去法如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意无力与把十民第公此已工使情明性知全三又关点正业"
    "外将两高间由问很最重并物应向头文体政相见被等新己身果加月合回特代内信化老给位度门任常先通教二水名真论处走各入几口认条平系气"
    "题活更别四总何电数安少报结反受目再感建务接必场件计管期市直命山区保至队便空决路五市民灯不亮长投诉请求反映小区街道社区部门单位"
    "物业停车噪音施工垃圾房屋修水电学校医院村县局号楼户住居交通线站收费工资希望解决尊敬领导您谢"
    "這個們來為國說時會對過發後裡無與業將兩間問應頭體見內給門論處幾認條氣題別總電數報結務場計區決燈長訴請單車聲學醫縣號樓戶線"
    "費資導謝實經動還進樣開從關點現當於麼沒嗎"
)
FOREIGN_MAX = 0.10
FREQUENT_MIN = 0.20
BROKEN_MAX = 0.01


@dataclass
class Survey:
    """What the characters of a text are.

    `broken` counts bytes that no character has, `rare` those beyond ASCII that common Chinese has not.
    """

    hanzi: int = 0
    frequent: int = 0
    rare: int = 0
    broken: int = 0

    def add(self, text: str) -> None:
        """Count a piece of text that was decoded with `surrogateescape`."""
        for character, count in Counter(text).items():
            if character < "\x80":
                continue
            if "\ud800" <= character <= "\udfff":
                self.broken += count
            elif character in common_hanzi():
                self.hanzi += count
                self.frequent += count * (character in FREQUENT)
            elif character not in punctuation():
                self.rare += count

    @property
    def plausible(self) -> bool:
        """Whether this reads as Chinese."""
        letters = self.hanzi + self.rare
        return (
            self.hanzi > 0
            and self.broken <= 1 + BROKEN_MAX * letters
            and self.rare <= FOREIGN_MAX * letters
            and self.frequent >= FREQUENT_MIN * self.hanzi
        )


@cache
def common_hanzi() -> frozenset[str]:
    """The first level of GB 2312, 3,755 characters, and that of Big5, 5,401."""
    return frozenset(_decoded("gb2312", range(0xB0, 0xD8))) | frozenset(_decoded("big5", range(0xA4, 0xC7)))


@cache
def punctuation() -> frozenset[str]:
    """The signs, digits and wide Latin letters of GB 2312, and what Big5 and typographers add."""
    signs = frozenset(_decoded("gb2312", (0xA1, 0xA2, 0xA3))) | frozenset(_decoded("big5", range(0xA1, 0xA3)))
    return signs | frozenset("\xa0·—–‘’“”…•　€℃°±×÷²³")


def _decoded(codec: str, leads: "range | tuple[int, ...]") -> str:
    pairs = (bytes((lead, trail)) for lead in leads for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    return "".join(pair.decode(codec, "ignore") for pair in pairs if codec != "gb2312" or pair[1] > 0xA0)
