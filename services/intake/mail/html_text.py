"""The words of an HTML mail as plain text: one line for each block, and the address behind each link."""

import re
from html.parser import HTMLParser

BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "dd",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
        ),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"),
        *("section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
WITHOUT_WORDS = frozenset(("script", "style", "head", "title", "template"))
VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "col", "wbr"))
SPACES = re.compile(r"[ \t\r\n\f]+")
EMPTY_LINES = re.compile(r"\n{3,}")
QUOTE = "> "


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.hidden: list[str] = []
        self.quoted = 0
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in WITHOUT_WORDS:
            self.hidden.append(tag)
        if tag in BLOCKS:
            self._break()
        if tag == "blockquote":
            self.quoted += 1
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("td", "th"):
            self._write(" ")
        if tag == "img" and (words := (given.get("alt") or "").strip()):
            self._write(words)

    def handle_endtag(self, tag: str) -> None:
        if tag in WITHOUT_WORDS and tag in self.hidden:
            del self.hidden[self.hidden.index(tag) :]
        if tag == "a" and self.links:
            href = self.links.pop()
            if href.startswith(("http://", "https://")) and href not in self.lines[-1]:
                self._write(f" ( {href} ) ")
        if tag in BLOCKS and tag not in VOID:
            self._break()
        if tag == "blockquote":
            self.quoted = max(0, self.quoted - 1)

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self._write(SPACES.sub(" ", data))

    def _write(self, text: str) -> None:
        if not self.lines[-1] and self.quoted and text.strip():
            self.lines[-1] = QUOTE
        self.lines[-1] += text

    def _break(self) -> None:
        if self.lines[-1].strip():
            self.lines.append("")


def text_of(html: str) -> str:
    """The visible words; a quotation's lines begin with `>`. Broken HTML loses no words that a browser would show."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    lines = [one.strip() for one in parser.lines]
    return EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
