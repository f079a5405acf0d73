"""Which mail of a thread is next, how many an unconfirmed address gets, and what is remembered of addresses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.addresses import MailKeys, ascii_domain, mailbox
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.limits import PERIOD, Slot, take_slot
from services.notifier.domain.threads import DIGEST_MAX, in_order, next_mail
from tests.builders import INQUIRY, MONDAY_NOON
from tests.mailing import KEYS, a_delivery, a_notice, ids, thread_of

NOON = MONDAY_NOON
THREAD = thread_of(a_notice())
NEWS = [a_delivery("r", what="registered", n=1), a_delivery("a", what="assigned", n=1, place=1), a_delivery("z", n=2)]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


# ── order ────────────────────────────────────────────────────────────────────


@given(st.permutations(NEWS))
def test_news_goes_out_in_the_order_of_decisions(shuffled: Sequence[Delivery]) -> None:
    assert ids(in_order(shuffled)) == ["r", "a", "z"]


@pytest.mark.parametrize(
    ("age_s", "mail"), [(0, ["r"]), (60, ["r"]), (60.001, ["r", "a", "z"]), (86_400, ["r", "a", "z"])]
)
def test_stale_news_becomes_one_digest(age_s: float, mail: list[str]) -> None:
    assert ids(next_mail(THREAD, NEWS, NOON + seconds(age_s))) == mail


def test_the_oldest_news_decides_whether_a_digest_is_sent() -> None:
    fresh = replace(NEWS[2], notice=replace(NEWS[2].notice, at=NOON + seconds(61)))
    assert ids(next_mail(THREAD, [*NEWS[:2], fresh], NOON + seconds(61))) == ["r", "a", "z"]
    assert ids(next_mail(THREAD, [fresh], NOON + seconds(61))) == ["z"]


def test_a_mail_that_may_have_been_sent_is_repeated_unchanged() -> None:
    late = NOON + seconds(3_600)
    assert ids(next_mail(replace(THREAD, sending=("r",)), NEWS, late)) == ["r"]
    assert ids(next_mail(replace(THREAD, sending=("r", "a")), NEWS, late)) == ["r", "a"]
    assert ids(next_mail(replace(THREAD, sending=("gone",)), NEWS, late)) == ["r", "a", "z"]


def test_a_digest_has_a_bounded_length() -> None:
    many = [a_delivery(f"{at:03}", n=at) for at in range(DIGEST_MAX + 7)]
    assert ids(next_mail(THREAD, many, NOON + seconds(61))) == [f"{at:03}" for at in range(DIGEST_MAX)]


# ── limits ───────────────────────────────────────────────────────────────────


def test_an_address_gets_so_many_mails_an_hour_and_no_more() -> None:
    taken: tuple[Slot, ...] = ()
    for number in range(5):
        taken, wait_until = take_slot(taken, f"m{number}", NOON + seconds(number), 5)
        assert wait_until is None
    same, wait_until = take_slot(taken, "m5", NOON + seconds(5), 5)
    assert (same, wait_until) == (taken, NOON + PERIOD)
    after, wait_until = take_slot(taken, "m5", NOON + PERIOD, 5)
    assert ([one.id for one in after], wait_until) == (["m1", "m2", "m3", "m4", "m5"], None)


def test_a_repeat_takes_no_second_place() -> None:
    full = tuple(Slot(f"m{number}", NOON) for number in range(5))
    assert take_slot(full, "m3", NOON + seconds(1), 5) == (full, None)


def test_zero_means_no_limit() -> None:
    full = tuple(Slot(f"m{number}", NOON) for number in range(5))
    assert take_slot(full, "m9", NOON, 0)[1] is None


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=60), st.integers(1, 6))
def test_no_hour_has_more_mails_than_the_limit(moments: list[int], most: int) -> None:
    taken: tuple[Slot, ...] = ()
    sent: list[float] = []
    for number, at_s in enumerate(sorted(moments)):
        taken, wait_until = take_slot(taken, str(number), NOON + seconds(at_s), most)
        if wait_until is None:
            sent.append(at_s)
        else:
            assert wait_until > NOON + seconds(at_s)
    assert all(sum(at_s - PERIOD.total_seconds() < other <= at_s for other in sent) <= most for at_s in sent)


# ── addresses ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Li@City.EXAMPLE", "li@city.example"),
        ("li@例子.中国", "li@XN--FSQU00A.xn--fiqs8s"),
        ("li@Bücher.example", "li@bücher.example"),
    ],
)
def test_one_address_in_several_writings_has_one_hash(one: str, other: str) -> None:
    assert KEYS.address(one) == KEYS.address(other)


def test_tags_share_a_mailbox_and_confirm_for_themselves() -> None:
    assert mailbox("Li+1@x.example") == mailbox("l.i+other+2@X.example") == "li@x.example"
    assert KEYS.mailbox("li+1@x.example") == KEYS.mailbox("li@x.example")
    assert KEYS.address("li+1@x.example") != KEYS.address("li@x.example")
    assert mailbox("+li@x.example") == "+li@x.example"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_has_a_hash(name: str, domain: str) -> None:
    assert len(KEYS.address(f"{name}@{domain}")) == len(KEYS.mailbox(f"{name}@{domain}")) == 32


def test_a_hash_depends_on_the_secret() -> None:
    assert MailKeys.of(b"another").address("li@x.example") != KEYS.address("li@x.example")


@pytest.mark.parametrize("address", ["li@-é.example", "li@🚧.example", "li@a_é.example", f"li@{'é' * 70}.example"])
def test_an_impossible_domain_is_named_in_a_sentence(address: str) -> None:
    domain = address.rpartition("@")[2]
    with pytest.raises(ValueError, match="cannot be written in ASCII for the mail server") as failed:
        ascii_domain(address)
    assert repr(domain) in str(failed.value)


def test_an_ascii_domain_stays_as_it_is() -> None:
    assert ascii_domain("a@b_c.example") == "a@b_c.example"


# ── tokens ───────────────────────────────────────────────────────────────────


def test_a_token_opens_what_it_was_made_for() -> None:
    token = KEYS.token("stop", INQUIRY, "hash")
    assert KEYS.read("stop", token) == (INQUIRY, "hash")
    about, _, signature = token.rpartition(".")
    forged = (
        "",
        "x",
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        f"{about}x.{signature}",
        f"x.{token}",
        token.upper(),
    )
    assert [KEYS.read("stop", one) for one in forged] == [None] * len(forged)
    assert KEYS.read("confirm", token) is None
    assert MailKeys.of(b"another").read("stop", token) is None


@given(st.text(max_size=80))
def test_no_text_opens_anything(token: str) -> None:
    assert KEYS.read("stop", token) is None
