"""The mails that residents and departments get: recipients, headers, links, and the text in both forms."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from aiosmtplib.email import extract_recipients
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.domain import ContactGiven
from services.notifier.domain.addresses import ascii_domain
from services.notifier.domain.notices import SUBJECTS, for_resident
from shared.city import City
from shared.contracts.ids import query_code
from shared.contracts.resident_messages import ResidentTold
from shared.kafka import topics
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.settings import Settings
from shared.runtime.translations import date_and_time, translations
from tests.builders import CITY, INQUIRY, MONDAY_NOON, WRITER, received, told
from tests.mailing import (
    EMAIL,
    KEYS,
    SECRET,
    a_delivery,
    a_notice,
    an_offer,
    delivery_of,
    html,
    plain,
    resident_mail,
    thread_of,
    writer,
)

CODE = query_code(SECRET, INQUIRY)
ZONE = Settings().zone(CITY.time_zone)
FAMILY = "👨\u200d👩\u200d👧"


def as_received(mail: EmailMessage) -> EmailMessage:
    """The mail as a mail program reads it."""
    return email.message_from_bytes(bytes(mail), policy=email.policy.default)


def links(mail: EmailMessage) -> list[str]:
    """The addresses of the links in the HTML of a mail."""
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if tag == "a" and name == "href")

    Links().feed(html(mail))
    return found


# ── residents ────────────────────────────────────────────────────────────────


def test_a_mail_has_the_events_id_so_that_repeats_can_be_recognised() -> None:
    mail = resident_mail(a_delivery())
    assert (mail["X-Chorus-Event"], mail["X-Chorus-What"]) == ("event-1", "answered")
    assert mail["Message-ID"] == "<event-1@city.example>"
    assert bytes(mail) == bytes(resident_mail(a_delivery()))


def test_all_mails_of_a_case_form_one_thread_with_one_subject() -> None:
    mails = [resident_mail(a_delivery(f"e{at}", what=what), subject="路灯") for at, what in enumerate(SUBJECTS)]
    assert {one["References"] for one in mails} == {f"<{INQUIRY}@city.example>"}
    assert {one["In-Reply-To"] for one in mails} == {f"<{INQUIRY}@city.example>"}
    assert {one["Subject"] for one in mails} == {f"[{INQUIRY}] 路灯"}
    assert len({one["Message-ID"] for one in mails}) == len(mails)
    assert [translations("zh").gettext(SUBJECTS[one["X-Chorus-What"]]) in plain(one) for one in mails] == [True] * len(
        SUBJECTS
    )


@pytest.mark.parametrize(
    ("language", "name", "line"), [("zh", "云汀", "您向云汀反映的诉求"), ("en", "Yunting", "Your message to Yunting")]
)
def test_a_mail_is_from_the_city_in_the_language_of_the_message(language: Lang, name: str, line: str) -> None:
    mail = resident_mail(a_delivery(language=language), whole=False, mail_reply_to="answers@city.example")
    [sender] = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "chorus@city.example")
    assert mail["Subject"] == f"[{INQUIRY}] {line}"
    assert (mail["Content-Language"], mail["Reply-To"]) == (language, "answers@city.example")
    assert mail["Date"].datetime == MONDAY_NOON
    assert "+0800" in str(mail["Date"])


@pytest.mark.parametrize("setting", ["mail_from", "mail_reply_to"])
def test_a_setting_that_no_mail_can_have_ends_the_start(setting: str) -> None:
    for wrong in ("nobody", "a@-é.example", "a@b@c", "=?utf-8?q?a?=@x.cn"):
        with pytest.raises(ValueError, match=r"address|domain"):
            writer(**{setting: wrong})
    writer(**{setting: "Desk of the City <desk@城市.cn>"})


def test_a_name_in_the_setting_replaces_the_citys() -> None:
    mail = resident_mail(a_delivery(), mail_from="Hotline 12345 <chorus@city.example>")
    assert mail["From"].addresses[0].display_name == "Hotline 12345"
    assert mail["Message-ID"] == "<event-1@city.example>"
    assert mail["Reply-To"] is None


def test_both_forms_of_a_mail_say_the_same() -> None:
    city = CITY.model_copy(update={"telephone": "12345"})
    mail = resident_mail(a_delivery(text="亮了 <b>& 好</b>\n\n  第二段", language="en"), city=city)
    assert "亮了 <b>& 好</b>\n\n  第二段" in plain(mail)
    assert "亮了 &lt;b&gt;&amp; 好&lt;/b&gt;\n\n  第二段" in html(mail)
    assert 'lang="en-GB"' in html(mail)
    for said in ("Reply to your message", INQUIRY, "Yunting", "12345", "Beijing Time"):
        assert (said in plain(mail), said in html(mail)) == (True, True), said
    assert all(url in plain(mail) for url in links(mail))


def test_a_mail_has_the_links_to_the_ticket_and_to_the_stop() -> None:
    mail = resident_mail(a_delivery())
    status, stop = links(mail)
    assert status == f"https://city.example/status?ticket={INQUIRY}&code={CODE}"
    token = KEYS.token("stop", INQUIRY, KEYS.address(EMAIL))
    assert stop == f"https://hall.example/mail/stop?token={token}&lang=zh"
    assert mail["List-Unsubscribe"] == f"<{stop}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_addresses_and_ids_are_sent_as_they_are_read() -> None:
    """A mail program does not decode an encoded word in them: one-click stops and threads would not work."""
    mail = resident_mail(a_delivery(), mail_from=f"chorus@{'service.' * 10}city.example")
    lines = bytes(mail).decode("ascii").splitlines()
    for name in ("List-Unsubscribe", "References", "In-Reply-To", "Message-ID"):
        assert f"{name}: {mail[name]}" in lines, name


def test_the_time_of_an_assignment_is_in_words() -> None:
    story = told(received("路灯", contact=WRITER, language="en"))
    [assigned] = [one for _, one in story.on(topics.RESIDENTS) if one["what"] == "assigned"]
    notice = for_resident("e", ResidentTold.model_validate(assigned), 1, 1, MONDAY_NOON)
    assert notice is not None
    text = plain(resident_mail(delivery_of(notice)))
    assert "You will hear from them by 19 March 2026 12:00." in text
    assert "2026-03" not in text


def test_the_time_of_a_reopening_is_in_words() -> None:
    text = "Your rating has reopened your message. You will hear from them by 2026-03-19 12:00."
    assert "by 19 March 2026 12:00." in plain(resident_mail(a_delivery(what="reopened", text=text, language="en")))


def test_what_looks_like_a_time_in_a_name_stays_as_it_is() -> None:
    mail = resident_mail(
        a_delivery(what="assigned", text="with Shift 2026-99-99 99:99 by 2026-03-19 12:00.", language="en")
    )
    assert "with Shift 2026-99-99 99:99 by 19 March 2026 12:00." in plain(mail)


@pytest.mark.parametrize("what", sorted(SUBJECTS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unconfirmed_address_gets_no_words_of_anybody(what: str, language: Lang) -> None:
    words = "https://evil.example 🔒秘密"
    mail = as_received(resident_mail(a_delivery(what=what, subject=words, text=words, language=language), whole=False))
    for hidden_word in ("evil", "秘密"):
        assert hidden_word not in plain(mail) + html(mail) + str(mail["Subject"])
    status, confirm, _ = links(mail)
    assert status.endswith(f"/status?ticket={INQUIRY}&code={CODE}")
    assert (
        confirm
        == f"https://hall.example/mail/confirm?token={KEYS.token('confirm', KEYS.address(EMAIL))}&lang={language}"
    )
    assert translations(language).gettext(SUBJECTS[what]) in plain(mail)


def test_a_digest_lists_each_news_with_its_time_and_names_all_events() -> None:
    news = [
        a_delivery(f"e{at}", what=what, text=f"text {at}", n=at)
        for at, what in enumerate(("registered", "assigned", "answered"))
    ]
    mail = resident_mail(*news)
    assert mail["Message-ID"] == "<e2@city.example>"
    assert mail.get_all("X-Chorus-Event") == ["e2", "e1", "e0"]
    assert mail.get_all("X-Chorus-What") == ["answered", "assigned", "registered"]
    text = plain(mail)
    assert text.index("text 0") < text.index("text 1") < text.index("text 2")
    assert text.count("2026年3月16日 12:00 · ") == 3


def test_a_line_break_in_a_subject_does_not_create_a_header() -> None:
    mail = resident_mail(a_delivery(), subject="路灯\r\nBcc: all@city.example\u2028X: y\x07")
    assert as_received(mail)["Bcc"] is None
    assert mail["Subject"].endswith("路灯 Bcc: all@city.example X: y")


@pytest.mark.parametrize(
    "subject", ["路灯 =?utf-8?q?=0D=0ABcc=3Avic=40evil.com?=", "=?utf-8?b?DQpCY2M6dmljQGV2aWwuY29t?=", "=?x?q??="]
)
def test_an_encoded_word_in_a_subject_is_not_decoded(subject: str) -> None:
    """Decoding would insert a line break and further headers."""
    mail = as_received(resident_mail(a_delivery(), subject=subject))
    assert mail["Bcc"] is None
    assert mail["Subject"].replace("= ?", "=?") == f"[{INQUIRY}] {subject}"


@given(st.text("路a 👨👩👧\u200d\u200c️é", min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_joined_emoji_in_a_subject_arrive_whole(subject: str) -> None:
    line = " ".join(f"{FAMILY}{subject}".split())
    assert as_received(resident_mail(a_delivery(), subject=line))["Subject"] == f"[{INQUIRY}] {line}"


def test_an_erased_delivery_makes_no_mail() -> None:
    for gone in (a_notice(text=None), a_notice(to=None)):
        with pytest.raises(ValueError, match="deleted"):
            resident_mail(replace(a_delivery(), notice=gone))


# ── recipients ───────────────────────────────────────────────────────────────


def accepted_address(text: str) -> bool:
    try:
        return ContactGiven(email=text).email is not None
    except ValidationError:
        return False


def possible(address: str) -> bool:
    try:
        ascii_domain(address)
    except ValueError:
        return False
    return True


names = st.lists(st.text("ab·中'+é🚧!#%=?_^`{|}~/\u0301", min_size=1, max_size=6), min_size=1, max_size=3)
hosts = st.text("ab·中é🚧-\u0301", min_size=1, max_size=12)
endings = st.sampled_from(("example", "例", "x-y", "xn--"))
addresses = st.builds("{}@{}.{}".format, names.map(".".join), hosts, endings).filter(accepted_address)


@given(addresses)
@settings(max_examples=200, deadline=None)
def test_every_valid_address_gets_a_mail_with_exactly_one_recipient(address: str) -> None:
    if possible(address):
        mail = resident_mail(a_delivery(to=address))
        assert extract_recipients(mail) == [ascii_domain(address)]
        assert ascii_domain(address).rpartition("@")[2].isascii()
        bytes(mail)
    else:
        with pytest.raises(ValueError, match="cannot be written in ASCII"):
            resident_mail(a_delivery(to=address))


def test_an_international_domain_is_punycode() -> None:
    assert resident_mail(a_delivery(to="li@例子.中国"))["To"] == "li@xn--fsqu00a.xn--fiqs8s"
    assert resident_mail(a_delivery(), mail_from="chorus@城市.cn")["From"].addresses[0].domain == "xn--uis47l.cn"


@pytest.mark.parametrize(
    "address",
    [
        "=?x?q??=@x.cn",
        "=?utf-8?q?a?=@=?utf-8?q?b?=.c",
        "=?utf-8?q?=0D=0ABcc=3Avic=40evil.com?=@x.cn",
        "x@=?utf-8?q?a=2Ecn=3E=2C_evil=40e.cn?=.cn",
        "a@x.cn, b@y.cn",
        "<a@x.cn>",
        "",
    ],
)
def test_an_address_that_a_header_would_decode_differently_gets_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        resident_mail(a_delivery(to=address))


# ── departments ──────────────────────────────────────────────────────────────


def department_mail(*parts: int, subject: str | None = None, city: City = CITY) -> EmailMessage:
    mail = [delivery_of(an_offer(f"event-{number}", number)) for number in parts]
    return writer().to_department(mail, city, subject)


def test_a_department_reads_subject_deadlines_and_where_the_message_is() -> None:
    mail = as_received(department_mail(1, subject=f"路灯不亮 {FAMILY}"))
    assert mail["Subject"] == f"[{INQUIRY}-p1] 新的分办件 / New part: 路灯不亮 {FAMILY}"
    assert (mail["To"], mail["Content-Language"]) == ("desk@lighting.example", "zh, en")
    notice = an_offer()
    assert notice.offer is not None
    for form in (plain(mail), html(mail)):
        for due_at in notice.offer.due:
            assert [form.count(date_and_time(due_at, ZONE, language)) for language in LANGUAGES] == [1, 1]
        assert form.count(f"chorus inbox lighting show {INQUIRY}-p1") == 2
        assert form.count("路灯不亮") == 2
        assert CODE not in form
    assert mail["List-Unsubscribe"] is None


def test_a_department_reads_several_parts_in_one_mail() -> None:
    mail = department_mail(1, 2)
    assert mail["Subject"] == f"[{INQUIRY}-p1, {INQUIRY}-p2] 新的分办件 / New part"
    assert plain(mail).count(f"show {INQUIRY}-p2") == 2
    assert mail.get_all("X-Chorus-Event") == ["event-2", "event-1"]


def test_the_thread_of_a_notice_names_nobody() -> None:
    assert EMAIL not in repr(thread_of(a_notice()))
