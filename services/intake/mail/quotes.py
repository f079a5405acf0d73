"""Strips what a mail quotes of our own mails. Pure: a line that we did not send is never lost, wherever it stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = re.compile(r"\s{0,3}(?:[>＞|｜]\s?)+")
SEPARATOR = re.compile(
    r"\s*[-_]{2,}\s*(?:original message|原始邮件|原始郵件|原邮件|forwarded message|转发的邮件)\s*[-_]*\s*",
    re.IGNORECASE,
)
HEADER = re.compile(
    r"\s*(?:发件人|寄件者|收件人|抄送|主题|日期|发送时间|发送日期|from|sent|to|cc|subject|date)\s*[:：]", re.IGNORECASE
)
SIGN_OF_ATTRIBUTION = (":", "：")
INVISIBLE = re.compile(r"[\s\u200b-\u200f\ufeff\u2060*_]+")
RULE = re.compile(r"[-_=~]*")
"""Nothing, or the rule above the foot of our mails."""
FRAGMENT = 8
"""So many characters in a row from our mail are a quotation that was wrapped anew. Fewer may be an answer, such as 是."""


def squeezed(text: str) -> str:
    """A text without spaces and line breaks, which mail programs change when they quote."""
    return INVISIBLE.sub("", text)


@dataclass(frozen=True)
class SentLines:
    """What we have sent: `lines` as they were, `all` one after the other, and how the addresses of our pages begin."""

    lines: frozenset[str]
    all: str
    pages: tuple[str, ...] = ()
    mailbox: str = ""

    @classmethod
    def of(cls, texts: Iterable[str], pages: Iterable[str] = (), mailbox: str = "") -> "SentLines":
        lines = [squeezed(line) for text in texts for line in text.splitlines()]
        return cls(frozenset(lines) - {""}, "\n".join(["".join(lines), *lines]), tuple(pages), mailbox.lower())

    def has(self, line: str) -> bool:
        """Whether a line, without its mark of a quotation, is from a mail that we have sent."""
        bare = squeezed(line).strip("<>()[]")
        if RULE.fullmatch(bare) or squeezed(line) in self.lines or bare in self.lines:
            return True
        if self.pages and bare.startswith(self.pages) and len(line.split()) == 1:
            return True
        return len(bare) >= FRAGMENT and bare in self.all

    def names_us(self, line: str) -> bool:
        return bool(self.mailbox) and self.mailbox in line.lower()


def without_quotes(text: str, sent: SentLines) -> str:
    """A reply without the lines of our mail that it quotes, and without what the mail program wrote above these.

    Lines between quoted ones stay, and so do lines of the quotation that somebody has changed.
    """
    lines = text.splitlines()
    ours = [False] * len(lines)
    below = False
    for at, line in enumerate(lines):
        if SEPARATOR.fullmatch(line):
            below = True
            continue
        mark = PREFIX.match(line)
        content = line[mark.end() :] if mark else line
        quoted = mark is not None or below
        ours[at] = quoted and bool(content.strip() or mark) and sent.has(content)
    for at, line in enumerate(lines):
        if (not ours[at] and _is_by_the_program(lines, at, ours, sent)) or (
            SEPARATOR.fullmatch(line) and any(ours[at + 1 :])
        ):
            ours[at] = True
    kept = "\n".join(line for line, is_ours in zip(lines, ours, strict=True) if not is_ours)
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


def _is_by_the_program(lines: list[str], at: int, ours: list[bool], sent: SentLines) -> bool:
    """Whether a mail program wrote the line: `On … <our address> wrote:` above a quotation, or a header copied into it."""
    line = PREFIX.sub("", lines[at])
    following = next((other for other in range(at + 1, len(lines)) if lines[other].strip()), None)
    if following is None:
        return False
    if sent.names_us(line) and line.rstrip().endswith(SIGN_OF_ATTRIBUTION) and ours[following]:
        return True
    return sent.names_us(line) and HEADER.match(line) is not None and any(ours[following:])
