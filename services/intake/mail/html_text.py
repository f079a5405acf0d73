"""The words of an HTML mail as plain text: one line for each block, and the address behind each link.

Reads each character of a mail once. `html.parser` needs hours for two megabytes of `<!--`.
"""

import re
from html import unescape

BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "fieldset"),
        *(
            "figcaption",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
        ),
        *("p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
HIDDEN = frozenset(("script", "style", "title", "template"))
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)>")
DECLARATION = re.compile(r"<[!?][^<>]*>")
ATTRIBUTE = re.compile(r"""(?:^|\s)(href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f]+")
EMPTY_LINES = re.compile(r"\n{3,}")
COMMENT, END_OF_COMMENT = "<!--", "-->"
QUOTE = "> "
WEB = ("http://", "https://")


class _Words:
    """The lines so far."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.hidden: str | None = None
        self.quoted = 0
        self.link = ""

    def begin(self, tag: str, attributes: str) -> None:
        if self.hidden is not None:
            return
        if tag in HIDDEN and not attributes.endswith("/"):
            self.hidden = tag
        elif tag in BLOCKS:
            self.end_line()
            self.quoted += tag == "blockquote"
        elif tag in ("td", "th"):
            self.write(" ")
        elif tag == "img":
            self.write(_attribute("alt", attributes))
        elif tag == "a":
            self.link = _attribute("href", attributes)

    def end(self, tag: str) -> None:
        if self.hidden is not None:
            self.hidden = None if tag == self.hidden else self.hidden
        elif tag in BLOCKS:
            self.end_line()
            self.quoted = max(0, self.quoted - (tag == "blockquote"))
        elif tag == "a":
            if self.link.startswith(WEB) and self.link not in "".join(self.lines[-1][-3:]):
                self.write(f" ( {self.link} ) ")
            self.link = ""

    def write(self, text: str) -> None:
        words = SPACES.sub(" ", unescape(text))
        if self.hidden is not None or not words:
            return
        if self.quoted and not self.lines[-1] and words.strip():
            self.lines[-1].append(QUOTE)
        self.lines[-1].append(words)

    def end_line(self) -> None:
        if self.lines[-1]:
            self.lines.append([])


def _attribute(name: str, attributes: str) -> str:
    """The value of an attribute; empty without one."""
    for found in ATTRIBUTE.finditer(attributes):
        if found[1].lower() == name:
            return next((one for one in found.groups()[1:] if one is not None), "")
    return ""


def text_of(html: str) -> str:
    """The visible words; a quotation's lines begin with `>`. Broken HTML loses no words that a browser would show."""
    words, at, comments_end = _Words(), 0, True
    while at < len(html):
        begin = html.find("<", at)
        if begin != at:
            words.write(html[at:begin] if begin > 0 else html[at:])
        if begin < 0:
            break
        at = begin
        if comments_end and html.startswith(COMMENT, at):
            end = html.find(END_OF_COMMENT, at + len(COMMENT))
            comments_end = end >= 0
            if comments_end:
                at = end + len(END_OF_COMMENT)
                continue
        if (tag := TAG.match(html, at)) is not None:
            (words.end(tag[2].lower()) if tag[1] else words.begin(tag[2].lower(), tag[3]))
            at = tag.end()
        elif (declaration := DECLARATION.match(html, at)) is not None:
            at = declaration.end()
        else:
            words.write("<")
            at += 1
    lines = ["".join(one).strip() for one in words.lines]
    return EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
