"""What a mail says: every character set, form and nesting that mail programs write, and the mails that no person wrote."""

import base64
import time
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.intake.mail.charsets import MARK, decode, header_text
from services.intake.mail.html_text import text_of
from services.intake.mail.letters import language_of_text, subject_and_body
from services.intake.mail.parsing import HTML_CHARACTERS_MAX, PARTS_MAX, UnreadableMail, parse

FIRST = "幸福路的路灯坏了三天，晚上很黑，请尽快修理。谢谢！"
TRADITIONAL = "幸福路的路燈壞了三天，晚上很黑，請盡快修理。謝謝！"


def raw(body: bytes, *headers: str, charset: str | None = "utf-8", kind: str = "plain", name: str = "") -> bytes:
    """A mail of these bytes, as a simple program writes it."""
    label = f"; charset={charset}" if charset else ""
    lines = [f"From: {name} <writer@mail.example>", "To: chorus@city.example", "Message-ID: <m1@mail.example>"]
    lines += ["Subject: lamp", f"Content-Type: text/{kind}{label}", "Content-Transfer-Encoding: 8bit"]
    changed = {one.partition(":")[0].lower() for one in headers}
    kept = [one for one in lines if one.partition(":")[0].lower() not in changed]
    return "\r\n".join((*kept, *headers, "", "")).encode() + body


def mail(text: str = FIRST, **headers: str) -> EmailMessage:
    made = EmailMessage(SMTP)
    given = {"From": "writer@mail.example", "To": "chorus@city.example", "Subject": "lamp"}
    for name, value in {**given, **{name.replace("_", "-"): one for name, one in headers.items()}}.items():
        made[name] = value
    made.set_content(text)
    return made


# ── characters ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("utf-8", "utf-8", FIRST + "🚦👨‍👩‍👧"),
        ("gb18030", "gb2312", FIRST + "𠮷镕"),
        ("gb18030", "GBK", FIRST + "€🚦"),
        ("gb18030", "x-gbk", FIRST),
        ("gb18030", "utf-8", FIRST),
        ("gb18030", "us-ascii", FIRST),
        ("gb18030", "iso-8859-1", FIRST),
        ("gb18030", "windows-1252", FIRST),
        ("gb18030", None, FIRST),
        ("gb18030", "no-such-charset", FIRST),
        ("utf-8", "gb2312", FIRST + "🚦"),
        ("utf-8", "iso-8859-1", "Straßenlaterne kaputt – à côté"),
        ("utf-8", None, FIRST),
        ("big5", "big5", TRADITIONAL),
        ("big5hkscs", "big5", TRADITIONAL + "嘅啲"),
        ("cp950", "big5", TRADITIONAL + "碁"),
        ("cp949", "euc-kr", "가로등이 고장났습니다. 똠방각하"),
        ("shift_jis", "shift_jis", "街灯が壊れています。"),
        ("iso2022_jp", "iso-2022-jp", "街灯が壊れています。"),
        ("hz", "hz-gb-2312", FIRST),
        ("utf-16", "utf-16", FIRST),
        ("latin-1", "iso-8859-1", "Straßenlaterne kaputt"),
        ("cp1252", "windows-1252", "the “lamp” – broken"),
        ("koi8-r", "koi8-r", "Фонарь не горит"),
    ],
)
def test_no_character_is_cut_or_changed_whatever_the_label_says(encoding: str, label: str | None, text: str) -> None:
    found = parse(raw(text.encode(encoding), charset=label))
    assert (found.text, found.replaced) == (text, False)


@pytest.mark.parametrize(
    "label", ["rot13", "zlib", "base64", "unicode_escape", "idna", "punycode", "hex", "undefined", "\0"]
)
def test_a_label_never_names_a_codec_that_computes(label: str) -> None:
    assert decode(rb"\u0041 lamp", label).text == rb"\u0041 lamp".decode()


def test_what_cannot_be_read_is_marked_and_everything_around_it_stays() -> None:
    broken = FIRST.encode("gb18030") * 20 + b"\xff" + "谢谢".encode("gb18030")
    found = parse(raw(broken, charset="gb2312"))
    assert found.replaced
    assert (found.text.count(FIRST), found.text.count(MARK) >= 1, found.text.endswith("谢谢")) == (20, True, True)
    subject, body = subject_and_body(found, "zh")
    assert (subject, "无法识别" in body) == ("lamp", True)
    cut = parse(raw(FIRST.encode()[:-1], charset="utf-8"))
    assert cut.replaced
    assert cut.text[:-1] == FIRST[:-1]


@given(
    some.binary(max_size=300),
    some.sampled_from(["gb2312", "big5", "utf-8", "euc-kr", "utf-16", "x", "iso-8859-1", None]),
)
def test_any_bytes_with_any_label_become_a_text(data: bytes, label: str | None) -> None:
    found = decode(data, label)
    found.text.encode("utf-8", "surrogatepass")
    assert found.replaced == (MARK in found.text) or MARK in data.decode("utf-8", "ignore") or not found.replaced
    assert bool(found.text) or not data or label in ("utf-16",)


# ── headers ──────────────────────────────────────────────────────────────────


def word(text: str, charset: str, form: str = "b") -> bytes:
    data = text.encode(charset if charset != "gb2312" else "gb18030")
    return b"=?" + charset.encode() + b"?" + form.encode() + b"?" + base64.b64encode(data) + b"?="


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (word("路灯坏了", "utf-8"), "路灯坏了"),
        (word("路灯坏了镕", "gb2312"), "路灯坏了镕"),
        (word("路燈壞了", "big5"), "路燈壞了"),
        (b"Re: " + word("路灯", "utf-8") + b" [20261122-7F3KQ2MX]", "Re: 路灯 [20261122-7F3KQ2MX]"),
        (word("路灯", "utf-8") + b"\r\n " + word("坏了", "utf-8"), "路灯坏了"),
        (b"=?utf-8?b?6Lev54E=?= =?utf-8?b?rw==?=", "路灯"),
        (b"=?utf-8?q?=E8=B7=AF_=E7=81=AF?=", "路 灯"),
        (b"=?utf-8*zh?q?=E8=B7=AF?=", "路"),
        ("路灯坏了 🚦".encode(), "路灯坏了 🚦"),
        ("路灯坏了，请修理".encode("gb18030"), "路灯坏了，请修理"),
        (b"=?utf-8?b?!!!?= lamp", "=?utf-8?b?!!!?= lamp"),
        (b"a =?x?q?b?= c", "a b c"),
        (b"evil\r\nBcc: all@city.example", "evil Bcc: all@city.example"),
        (word("evil\r\nBcc: all@city.example\0", "utf-8"), "evil Bcc: all@city.example"),
        (b"=?utf-8?q?" + b"=" * 2_000 + b"?=", "=" * 2_000),
    ],
    ids=str,
)
def test_a_header_is_one_line_with_every_character(line: bytes, text: str) -> None:
    assert header_text(line).text == text


def test_names_are_read_and_an_address_with_tricks_is_none() -> None:
    assert parse(raw(b"x", name=word("陈, 测试", "utf-8").decode())).sender_name == "陈, 测试"
    assert parse(raw(b"x", "From: =?utf-8?b?5byg?= <zhang@mail.example>")).sender == "zhang@mail.example"
    for line in (
        "From: a@mail.example, b@mail.example",
        "From: a@mail.example\r\nFrom: b@mail.example",
        "From: nobody",
        "From: =?utf-8?q?a=40evil.example?=@mail.example",
        "From: <a@mail.example\0>",
    ):
        assert parse(raw(b"x", line)).sender is None, line


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Content-Type", "Content-Disposition", "References"])
def test_a_header_without_measure_takes_a_moment(name: str) -> None:
    began = time.monotonic()
    for piece in ("(", ",", "<", '"', "\\", "a@b.cc,", ":", "a:b;", "=?x?q?", "=?x?b?a?= ", "()", " x"):
        assert parse(raw(b"lamp", f"{name}: {piece * (60_000 // len(piece))}")).text is not None
    assert time.monotonic() - began < 20


# ── forms ────────────────────────────────────────────────────────────────────


def test_of_two_forms_the_plain_text_counts_unless_it_is_empty() -> None:
    made = mail()
    made.add_alternative(f"<p>{FIRST}</p>", subtype="html")
    assert parse(made.as_bytes()).text == FIRST
    made = mail(" \n")
    made.add_alternative(f"<p>{FIRST}</p>", subtype="html")
    assert parse(made.as_bytes()).text == FIRST


def test_html_alone_keeps_its_words_lines_and_links() -> None:
    html = (
        "<html><head><title>t</title><style>p {color: red}</style></head><body><h1>路灯</h1><p>坏了 &amp; 很黑<br>三天"
        "<script>alert(1)</script></p><ul><li>东门<li>西门</ul><a href='https://map.example/1'>地图</a>"
        "<blockquote><div>你们说的</div></blockquote><p>不对"
    )
    assert text_of(html).splitlines() == [
        *("路灯", "坏了 & 很黑", "三天", "东门", "西门", "地图 ( https://map.example/1 )", "> 你们说的", "不对")
    ]
    assert parse(raw(f"<p>{FIRST}</p>".encode("gb18030"), charset="gb2312", kind="html")).text == FIRST
    assert text_of("a < b && c > d <é> <3") == "a < b && c > d <é> <3"
    assert text_of('<img alt="a>b" src=x>x<!-- y --><!-- z') == 'b" src=x>x<!-- z'


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<![",
        "<?",
        "</",
        "<a ",
        "<a href='",
        "<b",
        "<div>",
        "<blockquote>",
        "&#",
        "&",
        "<a x=",
        "<td>",
        "< ",
        "<!",
        "\0",
    ],
)
def test_html_of_any_kind_is_read_in_a_moment(piece: str) -> None:
    began = time.monotonic()
    text_of("a" + piece * (HTML_CHARACTERS_MAX // 4 // len(piece)) + "b")
    assert time.monotonic() - began < 10


@given(
    some.lists(
        some.sampled_from(["路灯", "<p>", "</p>", "<", ">", "<a href='x'>", "<!-- c -->", "&lt;", '"', "<br/>"]),
        max_size=20,
    )
)
def test_no_word_between_tags_is_lost(pieces: list[str]) -> None:
    assert text_of("".join(pieces)).count("路灯") == pieces.count("路灯")


def test_nested_parts_and_files() -> None:
    made = mail()
    made.add_attachment(b"\xff\xd8", maintype="image", subtype="jpeg", filename='路灯\r\n"x".jpg')
    made.add_attachment("附件", filename="说明.txt")
    inner = mail("转发的信")
    made.add_attachment(inner)
    outer = EmailMessage(SMTP)
    outer["From"], outer["Subject"] = "writer@mail.example", "lamp"
    outer.make_mixed()
    outer.attach(made)
    found = parse(outer.as_bytes())
    assert found.text == FIRST
    assert [one.media_type for one in found.attachments] == ["image/jpeg", "text/plain", "message/rfc822"]
    assert found.attachments[0].name.startswith("路灯")
    assert "\n" not in found.attachments[0].name
    _, body = subject_and_body(found, "zh")
    assert "说明.txt" in body


def test_the_picture_beside_the_html_of_two_forms_is_not_forgotten() -> None:
    made = mail()
    made.add_alternative("<p>x</p>", subtype="html")
    html = made.get_payload(1)
    html.add_related(b"\x89PNG", maintype="image", subtype="png", filename="a.png")  # type: ignore[union-attr]
    found = parse(made.as_bytes())
    assert (found.text, [one.name for one in found.attachments]) == (FIRST, ["a.png"])


def nested(depth: int) -> bytes:
    lines = [b"From: a@mail.example", b"Subject: x"]
    for level in range(depth):
        lines += [b"Content-Type: multipart/mixed; boundary=b%d" % level, b"", b"--b%d" % level]
    return b"\r\n".join([*lines, b"Content-Type: text/plain", b"", b"lamp"])


def its_own_attachment(times: int) -> bytes:
    content = nested(0) + b"\r\n\r\nlamp"
    for _ in range(times):
        content = b"From: a@mail.example\r\nContent-Type: message/rfc822\r\n\r\n" + content
    return content


@pytest.mark.parametrize(
    "content",
    [
        nested(PARTS_MAX + 1),
        nested(5_000),
        its_own_attachment(PARTS_MAX + 1),
        b"X: " + b"y" * 200_000 + b"\r\n\r\nlamp",
        b"From: a@mail.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 500,
    ],
    ids=["deep", "deeper", "its own attachment", "long headers", "many parts"],
)
def test_a_mail_without_measure_is_refused_quickly(content: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableMail, match="more than"):
        parse(content)
    assert time.monotonic() - began < 2


@given(some.binary(max_size=2_000))
def test_any_bytes_are_a_mail_or_refused(content: bytes) -> None:
    try:
        found = parse(content)
    except UnreadableMail:
        return
    assert "\0" not in found.text + found.subject


PIECES = [
    *(
        b"From: a@b.example\r\n",
        b"Content-Type: multipart/alternative; boundary=x\r\n",
        b"--x\r\n",
        b"--x--\r\n",
        b"\r\n",
    ),
    *(b"Content-Type: text/html; charset=big5\r\n", b"\xa4\xa4<p>", b"Content-Transfer-Encoding: base64\r\n"),
    *(b"=?a?b?c?=", b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n"),
    b"Content-Disposition: attachment\r\n",
]


@given(some.lists(some.sampled_from(PIECES), max_size=40))
def test_any_order_of_parts_is_a_mail_or_refused(pieces: Sequence[bytes]) -> None:
    test = b"".join(pieces)
    with suppress(UnreadableMail):
        assert parse(test).text is not None


# ── mails that no person wrote ───────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("AUTO-SUBMITTED: Auto-Generated; x=y", "auto-submitted"),
        ("Auto-Submitted: no", None),
        ("Precedence: bulk", "bulk"),
        ("Precedence: LIST", "bulk"),
        ("Precedence: first-class", None),
        ("List-Id: <all.city.example>", "list"),
        ("X-Chorus-Event: e1", "own-mail"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", "report"),
    ],
)
def test_mails_of_programs_are_recognised(header: str, why: str | None) -> None:
    assert parse(raw(b"lamp", header)).automatic == why


# ── as a message ─────────────────────────────────────────────────────────────


def test_a_long_subject_is_whole_in_the_body_and_a_missing_one_is_the_first_line() -> None:
    long = "路灯" * 150
    subject, body = subject_and_body(parse(raw(FIRST.encode(), f"Subject: {long}")), "zh")
    assert (len(subject), subject[-1], body) == (200, "…", f"{long}\n\n{FIRST}")
    assert subject_and_body(parse(raw(FIRST.encode(), "Subject:")), "zh") == (FIRST, FIRST)
    assert subject_and_body(parse(raw(b" \r\n", f"Subject: {FIRST}")), "zh") == (FIRST, FIRST)
    assert subject_and_body(parse(raw(b"", "Subject: ")), "zh")[1] == ""


@pytest.mark.parametrize(
    ("text", "language"), [(FIRST, "zh"), ("The lamp is broken.", "en"), ("Lamp 路灯", "zh"), ("123", "zh"), ("", "zh")]
)
def test_the_language_is_that_of_the_words(text: str, language: str) -> None:
    assert language_of_text(text) == language


def test_the_digest_is_the_same_by_another_way() -> None:
    one = parse(raw(FIRST.encode()))
    other = parse(b"Received: from relay.example\r\n" + raw(FIRST.encode()))
    assert (one.digest, one.message_id) == (other.digest, "m1@mail.example")
    assert parse(raw(FIRST.encode() + b"!")).digest != one.digest
