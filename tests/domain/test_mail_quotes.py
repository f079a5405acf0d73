"""Quotations of our mails are stripped from replies, and no line that we did not send is ever lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.intake.mail.quotes import PREFIX, SentLines, squeezed, without_quotes

SENT = SentLines.of(
    [
        "您的诉求正在办理。\n路政处问：请问是哪一段路？请写明路名和门牌号，以便工作人员尽快到场查看。",
        "编号：20261122-7F3KQ2MX",
    ],
    ("https://city.example/",),
    "chorus@city.example",
)
QUESTION = "路政处问：请问是哪一段路？请写明路名和门牌号，以便工作人员尽快到场查看。"


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("东段。", "东段。"),
        (f"东段。\n\n> 您的诉求正在办理。\n> {QUESTION}", "东段。"),
        (
            f"东段。\n\n在 2026年11月22日，城市 <chorus@city.example> 写道：\n> 您的诉求正在办理。\n> {QUESTION}",
            "东段。",
        ),
        (f"East.\n\nOn Sun, 22 Nov 2026, City <Chorus@city.example> wrote:\n>> {QUESTION}", "East."),
        (f"> {QUESTION[:20]}\n> {QUESTION[20:]}\n东段。", "东段。"),
        (f"> 您的诉求正在办理。\n从东门起。\n> {QUESTION}\n到西门。", "从东门起。\n到西门。"),
        ("> 👍", "> 👍"),
        (f"> ----\n> {QUESTION}\n> ====", ""),
        (f"> {QUESTION} 东段，十二号。", f"> {QUESTION} 东段，十二号。"),
        ("> 东段，十二号。", "> 东段，十二号。"),
        ("> 是", "> 是"),
        (
            f'东段。\n\n------------------ 原始邮件 ------------------\n发件人: "城市" <chorus@city.example>\n{QUESTION}',
            "东段。",
        ),
        (
            "东段。\n-----Original Message-----\n另外，井盖也坏了。",
            "东段。\n-----Original Message-----\n另外，井盖也坏了。",
        ),
        (f"东段。\n-----Original Message-----\n{QUESTION}\n井盖也坏了。", "东段。\n井盖也坏了。"),
        ("> 编号：20261122-7F3KQ2MX\n> https://city.example/status?ticket=1&code=2\n> ", ""),
        ("https://city.example/status 打不开", "https://city.example/status 打不开"),
        (QUESTION, QUESTION),
        ("您写道：\n东段", "您写道：\n东段"),
        ("我给 chorus@city.example 写道：\n> 东段", "我给 chorus@city.example 写道：\n> 东段"),
    ],
)
def test_a_reply(reply: str, kept: str) -> None:
    assert without_quotes(reply, SENT) == kept


LETTERS = some.text("甲乙丙丁 ab>:：-_", min_size=1, max_size=30)
OURS = some.sampled_from(
    ["您的诉求正在办理。", QUESTION, QUESTION[:20], "编号：20261122-7F3KQ2MX", "", "https://city.example/x"]
)
LINES = some.one_of(
    LETTERS,
    LETTERS.map(lambda one: f"> {one}"),
    OURS,
    OURS.map(lambda one: f"> {one}"),
    some.tuples(OURS, LETTERS).map(lambda two: "> " + "".join(two)),
    some.sampled_from(
        ["-----Original Message-----", "---- 原始邮件 ----", "在周日，城市 <chorus@city.example> 写道："]
    ),
)


def is_new(line: str) -> bool:
    """Whether we did not send a line: said here by other means than in the product."""
    content = "".join(squeezed(PREFIX.sub("", line)).split())
    by_a_program = "chorus@city.example" in line or "Original Message" in line or "原始邮件" in line
    return (
        bool(content.strip("<>()[]-_=~"))
        and not by_a_program
        and content not in SENT.all
        and "city.example" not in content
    )


@given(some.lists(LINES, max_size=12))
def test_every_line_that_we_did_not_send_is_kept_in_order(lines: list[str]) -> None:
    kept = without_quotes("\n".join(lines), SENT).splitlines()
    wanted = [one.strip() for one in "\n".join(lines).splitlines() if is_new(one)]
    found = iter(one.strip() for one in kept)
    assert all(one in found for one in wanted), (wanted, kept)


@given(some.text(max_size=200))
def test_a_mail_without_a_quotation_keeps_all_its_characters(text: str) -> None:
    kept = without_quotes(text, SentLines.of(["您的诉求正在办理。"]))
    unquoted = [one for one in text.splitlines() if not PREFIX.match(one)]
    assert all(squeezed(one) in squeezed(kept) for one in unquoted)
