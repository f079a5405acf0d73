"""The catalogue has every text of code and templates in Chinese, and no others; the source itself is in English."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import PoFileError, read_po

from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.translations import CATALOGUE, date_and_time, read_catalogue, translations, zone_name

ROOT = Path(__file__).parents[2]
PRODUCT = "合唱"
HAN = re.compile(r"[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)s")
ALLOWED = {
    "deploy/cli/demo/demo.py": "sample data",
    "deploy/cli/demo/departments.py": "sample data",
    "deploy/cli/demo/messages.py": "sample data",
    "deploy/cli/demo/residents.py": "sample data",
    "deploy/cli/department/directory.py": "the name of the language above the names in it",
    "deploy/cli/importing/headers.py": "headings of columns in imported files",
    "deploy/cli/importing/mapping.py": "words for yes and no in imported files",
    "deploy/cli/importing/plausibility.py": "frequent characters of Chinese text",
    "deploy/cli/operations/case_enter.py": "what a resident gets, in both languages at once",
    "services/intake/mail/quotes.py": "words of mail programs above quotations",
    "services/intake/domain.py": "a character of telephone numbers",
    "shared/masking/addresses.py": "words of addresses that are masked",
    "shared/masking/chinese_names.py": "words around names that are masked",
    "shared/masking/folding.py": "numerals and characters written in more than one way",
    "shared/masking/known_names.py": "forms of address after names",
    "shared/masking/labelled.py": "words before numbers and accounts that are masked",
    "shared/masking/latin_names.py": "words around names that are masked",
    "shared/masking/masking.py": "words before numbers of departments",
    "shared/masking/name_words.py": "surnames and words that look like them",
    "shared/masking/numbers.py": "words around numbers that are masked",
    "shared/masking/person_words.py": "words for people",
}
"""Files whose Chinese is data, not text for people."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Every text in code and templates, found as `make translations` finds it."""
    output = tmp_path_factory.mktemp("texts") / "chorus.pot"
    options = ["--mapping-file", str(ROOT / "pyproject.toml"), "--keywords", "gettext_noop", "--output", str(output)]
    folders = [str(ROOT / name) for name in ("shared", "services")]
    CommandLineInterface().run(["pybabel", "-q", "extract", *options, *folders])  # type: ignore[no-untyped-call]
    with output.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh", abort_invalid=True)


def messages(catalog: Catalog) -> dict[tuple[str | None, str], Message]:
    """Every message but the header, by context and source text."""
    return {(one.context, str(one.id)): one for one in catalog if one.id}


def test_every_text_is_translated_and_no_other(template: Catalog, catalogue: Catalog) -> None:
    wanted, there = messages(template), messages(catalogue)
    assert len(wanted) > 150
    assert sorted(map(str, wanted.keys() - there.keys())) == []
    assert sorted(map(str, there.keys() - wanted.keys())) == []
    assert not catalogue.obsolete
    assert [one.id for one in there.values() if not one.string or one.fuzzy] == []


def test_every_text_that_is_looked_up_is_found_by_the_extractor(template: Catalog) -> None:
    """The extractor passes over a call inside another one's arguments."""
    sources = [path for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py")]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    looked_up = {
        text.value
        for call in calls
        if (name := getattr(call.func, "attr", getattr(call.func, "id", ""))) in ("gettext", "pgettext", "gettext_noop")
        and isinstance(text := call.args[name == "pgettext"], ast.Constant)
    }
    assert len(looked_up) > 50
    assert looked_up - {str(one.id) for one in template} == set()


def test_translations_have_the_placeholders_of_their_source(catalogue: Catalog) -> None:
    for one in messages(catalogue).values():
        source, translated = (sorted(PLACEHOLDER.findall(str(text))) for text in (one.id, one.string))
        assert source == translated, one.id
        assert not list(one.check(catalogue)), one.id


def test_a_translation_is_chinese_and_its_source_is_not(catalogue: Catalog) -> None:
    for one in messages(catalogue).values():
        assert not HAN.search(str(one.id)), one.id
        assert HAN.search(str(one.string)) or str(one.context).startswith("between "), one.id


def chinese_texts(path: Path) -> Iterator[str]:
    """Strings of a program, or lines of another file, with Chinese in them. Comments and docstrings are not texts."""
    text = path.read_text(encoding="utf-8").replace(PRODUCT, "")
    if path.suffix != ".py":
        yield from (line for line in text.splitlines() if HAN.search(line))
        return
    tree = ast.parse(text)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text_of = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if HAN.search(text_of) and id(node) not in docstrings:
            yield text_of


def test_no_text_outside_the_catalogue_is_chinese() -> None:
    sources = [
        path
        for folder in ("shared", "services", "deploy")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".html", ".js", ".css", ".svg") and "secrets" not in path.parts
    ]
    found = {str(path.relative_to(ROOT)): texts for path in sources if (texts := list(chinese_texts(path)))}
    assert {name: texts for name, texts in found.items() if name not in ALLOWED} == {}
    assert ALLOWED.keys() - found.keys() == set(), "allowed, and without Chinese"


def test_texts_are_looked_up_in_the_language_that_is_asked_for() -> None:
    message = "That ticket number and code do not match."
    assert translations("en").gettext(message) == message
    assert translations("zh").gettext(message) == "编号与查询码不符。"
    assert translations("fr").gettext(message) == "编号与查询码不符。"
    assert translations("zh").pgettext("between two names", ", ") == "、"


def test_a_catalogue_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    broken = tmp_path / "chorus.po"
    broken.write_text('msgid "unfinished\n', encoding="utf-8")
    with pytest.raises(PoFileError, match="missing msgstr"):
        read_catalogue(broken)
    with pytest.raises(FileNotFoundError):
        read_catalogue(tmp_path / "missing.po")


@pytest.mark.parametrize(("language", "text"), [("zh", "2026年11月23日 00:30"), ("en", "23 November 2026 00:30")])
def test_times_are_written_in_the_citys_zone_and_the_readers_language(language: Lang, text: str) -> None:
    at = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert date_and_time(at, ZoneInfo("Asia/Shanghai"), language) == text


@pytest.mark.parametrize(
    ("zone", "chinese", "english"),
    [
        ("Asia/Shanghai", "北京时间", "Beijing Time"),
        ("Europe/Berlin", "中欧时间", "Central European Time"),
        ("UTC", "协调世界时", "Coordinated Universal Time"),
    ],
)
def test_a_time_zone_has_the_name_that_people_use(zone: str, chinese: str, english: str) -> None:
    assert [zone_name(ZoneInfo(zone), language) for language in LANGUAGES] == [chinese, english]
