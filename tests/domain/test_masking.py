"""Masking for the hall: personal data is hidden, other text stays readable."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.masking.masking import MARK, mask
from tests.masking_corpus import HARMLESS

NUMBERS = [
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "1 3 8 0 0 1 3 8 0 0 0",
    "+8613800138000",
    "+86 138 0013 8000",
    "0086-13800138000",
    "(86)13800138000",
    "１３８００１３８０００",
    "1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3\u200b8\u200b0\u200b0\u200b0",
    "一三八零零一三八零零零",
    "0731-8888888",
    "0731—88888888",
    "0731 8888 8888",
    "(010)12345678",
    "（０１０）１２３４５６７８",
    "0731-88888888转123",
    "+86 731 8888 8888",
    "+44 20 7946 0958",
    "+1 (617) 555-0123",
    "(617) 555-0123",
    "617-555-0123 ext. 45",
    "020 7946 0958",
    "430102199001011234",
    "43010219900101123X",
    "43010219900101123x",
    "４３０１０２１９９００１０１１２３Ｘ",
    "430102 19900101 1234",
    "430102-19900101-123X",
    "430102900101123",
    "6222 0212 3456 7890 123",
    "6222021234567890123",
    "622202 1234567890123",
    "zhang.san+city@example.com",
    "zhangsan＠example．com",
    "12345678@qq.com",
    "abc @ example.com",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_and_addresses_are_masked_completely(number: str) -> None:
    assert mask(f"请回复{number}，谢谢") == f"请回复{MARK}，谢谢"
    assert mask(f"Write to {number} please") == f"Write to {MARK} please"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("电话：88888888", f"电话：{MARK}"),
        ("电话8888888、8888999或者8888777", f"电话{MARK}"),
        ("call me at 555-0123", f"call me at {MARK}"),
        ("护照号E12345678", f"护照号{MARK}"),
        ("my passport number is AB123456.", f"my passport number is {MARK}."),
        ("台胞证：12345678", f"台胞证：{MARK}"),
        ("身份证号 4301 0219 900", f"身份证号 {MARK}"),
        ("微信：li_hua-2", f"微信：{MARK}"),
        ("微信号lihuahua", f"微信号{MARK}"),
        ("加微信abc12345", f"加微信{MARK}"),
        ("我的vx: hello99", f"我的vx: {MARK}"),
        ("My WeChat is li_hua2.", f"My WeChat is {MARK}."),
        ("QQ：123456789", f"QQ：{MARK}"),
        ("扣扣号是 12345", f"扣扣号是 {MARK}"),
        ("QQ邮箱 987654321", f"QQ邮箱 {MARK}"),
    ],
)
def test_a_labelled_value_is_masked_and_its_label_stays(text: str, seen: str) -> None:
    assert mask(text) == seen


@pytest.mark.parametrize(
    ("text", "names", "seen"),
    [
        ("张三说，张 三也来了", ["张三"], f"{MARK}说，{MARK}也来了"),
        ("找张先生，或者张女士、张师傅", ["张三"], f"找{MARK}先生，或者{MARK}女士、{MARK}师傅"),
        ("张家界很美", ["张三"], "张家界很美"),
        ("我姓欧阳，叫我欧阳女士", ["欧阳小米"], f"我姓{MARK}，叫我{MARK}女士"),
        ("王女士留", ["王女士"], f"{MARK}女士留"),
        ("Ms Doe, DOE and jane doe; Doe, Jane", ["Jane Doe"], f"Ms {MARK}, {MARK} and {MARK}; {MARK}"),
        ("blacksmith Street", ["John Smith"], "blacksmith Street"),
        ("I will see Mr Green. The green light.", ["Will Green"], f"I will see Mr {MARK}. The green light."),
        ("José Garcia; jose", ["Jose García"], f"{MARK}; {MARK}"),
        ("我是John啊", ["John"], f"我是{MARK}啊"),
        ("买买提和阿迪力", ["阿迪力·买买提"], f"{MARK}和{MARK}"),
        ("李华 Li Hua lihua", ["李华 (Li Hua)"], f"{MARK} {MARK} {MARK}"),
        ("匿名市民反映", ["匿名", "市民", ""], "匿名市民反映"),
    ],
)
def test_the_writers_name_is_masked_everywhere(text: str, names: list[str], seen: str) -> None:
    assert mask(text, names) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("我叫李有才，请找李有才", f"我叫{MARK}，请找{MARK}"),
        ("本人张小米，女", f"本人{MARK}，女"),
        ("联系人：陈一一。陈先生在家", f"联系人：{MARK}。{MARK}先生在家"),
        ("My name is Jane Doe and I live here. Doe, room 3", f"My name is {MARK} and I live here. {MARK}, room 3"),
        ("Kind regards,\nJane Doe", f"Kind regards,\n{MARK}"),
        ("Yours faithfully\nJ. R. Doe", f"Yours faithfully\n{MARK}"),
    ],
)
def test_a_name_stated_in_the_text_is_masked_without_a_contact(text: str, seen: str) -> None:
    assert mask(text) == seen


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert mask(text) == text


AROUND = st.text(alphabet="路灯不亮请速处理，。！？\n街道abc the", max_size=40)
DIGITS_ONLY = st.text(alphabet="0123456789", min_size=8, max_size=8)
CROCKFORD = st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=8, max_size=8)


@settings(deadline=None)
@given(before=AROUND, number=st.sampled_from(NUMBERS), after=AROUND)
def test_no_number_survives_in_any_text(before: str, number: str, after: str) -> None:
    seen = mask(f"{before}（{number}）{after}")
    assert number not in seen
    assert not any(char.isdigit() or char in "@＠" for char in seen)


@settings(deadline=None)
@given(before=AROUND, after=AROUND, mobile=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_no_mobile_number_survives(before: str, after: str, mobile: str) -> None:
    assert not any(char.isdigit() for char in mask(f"{before}{mobile}{after}"))


@settings(deadline=None)
@given(before=AROUND, number=DIGITS_ONLY | CROCKFORD, day=st.dates())
def test_ticket_numbers_survive(before: str, number: str, day: object) -> None:
    ticket = f"20261122-{number}"
    assert ticket in mask(f"{before} {ticket}，{day}")


@settings(deadline=None)
@given(text=st.text(), names=st.lists(st.text(max_size=20), max_size=3))
def test_any_text_and_names_are_accepted(text: str, names: list[str]) -> None:
    assert isinstance(mask(text, names), str)


@settings(deadline=None)
@given(parts=st.lists(st.sampled_from([*NUMBERS, *HARMLESS, "张三", "我叫李四光"]), max_size=5))
def test_masking_is_idempotent(parts: list[str]) -> None:
    once = mask("；".join(parts), ["张三"])
    assert mask(once, ["张三"]) == once


@pytest.mark.parametrize(
    "unit",
    ["1", "1 ", "a", "@", "a@", "a.", "微信", "电话:", "138-", "+1", "(", "我叫张", "my name is ", "本人", "张 "],
)
def test_running_time_is_linear_in_the_length(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    short, long = (min(seconds(text[:size]) for _ in range(2)) for size in (4_000, 20_000))
    # Five times the length: linear time is 5 times as long, quadratic time 25 times.
    assert long < 12 * short + 0.1


def seconds(text: str) -> float:
    """Processor time of masking a text."""
    started = time.process_time()
    mask(text, ["张三", "Jane Doe"])
    return time.process_time() - started


def test_running_time_is_not_multiplied_by_stated_names() -> None:
    texts = ["".join(f"我叫张{chr(0x4E00 + at)}{chr(0x5E00 + at)}，" for at in range(names)) for names in (600, 3_000)]
    few, many = (min(seconds(text) for _ in range(2)) for text in texts)
    assert "我叫张" not in mask(texts[1])
    assert many < 12 * few + 0.1
