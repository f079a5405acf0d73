"""City files: an error for every wrong field names file, line, entry, field, value and the remedy."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shared.city import City, CityError, Name, load_city
from shared.city.entries import CityEntry, Paragraphs
from shared.city.faults import MOST_TOLD
from shared.city.folder import CITY_FIELDS
from shared.city.parsing import CITY_BYTES_MAX, DERIVED, Outline
from shared.city.text_modules import ModuleText
from shared.city.yaml_file import FILE_BYTES_MAX
from tests.city_cases import CASES, GOOD, MEANT, NOTHING, PLACES, Case, put

NEEDED = ("departments", "rules", "policies")
LISTS = (*NEEDED, "calendars", "texts")
IN_FILES = [case for case in CASES if len(case.loc) > 1 or str(case.loc[0]).rstrip("_") in CITY_FIELDS]
NOTICES = ("emergency", "scope", "privacy")
GOOD_RULE = "- {id: dark, lead: lamps, any: [路灯], why: {zh: 路灯, en: lamps}}\n"


def write(folder: Path, document: dict[str, Any] = GOOD, /, **texts: str | bytes) -> Path:
    """Write the city as a folder, as JSON, which is valid YAML; `texts` replaces the content of single files."""
    about = {name: value for name, value in document.items() if name not in LISTS}
    files = {"city": about} | {name: document[name] for name in LISTS if name in document}
    written = {name: json.dumps(value) for name, value in files.items()}
    for name, text in (written | texts).items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(CityError) as told:
        load_city(folder)
    return told.value.problems


def test_a_valid_city_is_loaded(tmp_path: Path) -> None:
    city = load_city(write(tmp_path))
    assert [one.code for one in city.departments] == ["roads", "lamps", "hills", "signs"]
    assert city.telephone == "12345"
    assert {name: getattr(city, name).model_dump() for name in NOTICES} == {name: GOOD[name] for name in NOTICES}


@pytest.mark.parametrize("name", ["telephone", "emergency", "scope", "privacy"])
def test_a_city_may_leave_out_its_telephone_and_notices(tmp_path: Path, name: str) -> None:
    assert getattr(load_city(write(tmp_path, put(GOOD, (name,), NOTHING))), name) is None
    assert getattr(load_city(write(tmp_path, put(GOOD, (name,), None))), name) is None


def _records_of(kind: type[City]) -> list[str]:
    return [name for name, form in kind.model_json_schema()["$defs"].items() if form.get("type") == "object"]


def test_every_field_of_every_record_has_error_cases() -> None:
    kinds: tuple[type[CityEntry], ...] = (*PLACES, Name, Paragraphs, ModuleText)
    fields = {(kind, name) for kind in kinds for name in kind.model_fields}
    assert set(MEANT) == fields
    assert set(CITY_FIELDS) == set(Outline.model_fields) - {"revision", *DERIVED, *LISTS}
    # Every kind of record in a city is in the table.
    assert {kind.__name__ for kind in kinds} == set(_records_of(City)) - {"PublicHolidays", "TextOrigin"} | {"Outline"}
    wrong = {case.loc for case in CASES}
    assert {(*place, name) for kind, place in PLACES.items() for name in kind.model_fields} <= wrong


@pytest.mark.parametrize("case", IN_FILES, ids=[case.name for case in IN_FILES])
def test_an_error_names_file_entry_and_field(tmp_path: Path, case: Case) -> None:
    told = problems(write(tmp_path, case.city()))
    file = f"{case.loc[0]}.yaml:" if case.loc[0] in LISTS else "city.yaml:"
    field = next(step for step in reversed(case.loc) if isinstance(step, str))
    about_it = [one for one in told if one.startswith(file) and case.says in one]
    assert about_it, told
    assert any(field in one.split(": ")[0] or "ascending order" in one for one in about_it), about_it
    assert all(one.endswith(".") and one.isprintable() for one in told)


def test_an_error_names_the_line_of_the_value(tmp_path: Path) -> None:
    departments = (
        "# the bureaus\n- code: roads\n  name: {zh: 路, en: R}\n  email: 'desk'\n- code: lamps\n  name:\n    zh: 灯\n"
    )
    told = problems(write(tmp_path, departments=departments, rules="[]", policies="- id: p1\n\n  accept_h: soon\n"))
    assert told == (
        'departments.yaml:4, department "roads", field email: "desk" is not allowed; write one address such as '
        "desk@roads.example.",
        'departments.yaml:7, department "lamps", field name.en: it is missing; add it.',
        'policies.yaml:3, policy "p1", field accept_h: "soon" is not a time; write hours as a number above 0, at most 8784.',
        'policies.yaml:1, policy "p1", field first_reply_h: it is missing; add it.',
        'policies.yaml:1, policy "p1", field resolve_h: it is missing; add it.',
    )


def test_an_error_names_the_right_one_of_several_rule_files(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "rules.yaml").unlink()
    (folder / "rules").mkdir()
    (folder / "rules" / "1-light.yaml").write_text(GOOD_RULE)
    (folder / "rules" / "2-dark.yaml").write_text("\n" + GOOD_RULE + GOOD_RULE.replace("dark", "Dark"))
    assert problems(folder) == (
        'rules/2-dark.yaml:2, rule "dark", field id: "dark" is already used as id; each id must be unique.',
        'rules/2-dark.yaml:3, rule "Dark", field id: "Dark" is not allowed; write 2 to 31 of a-z, 0-9 and -, '
        "beginning with a letter.",
    )


def test_a_reference_to_an_invalid_department_is_no_additional_error(tmp_path: Path) -> None:
    told = problems(write(tmp_path, put(GOOD, ("departments", 0, "email"), "desk")))
    assert [one.split(":")[0] for one in told] == ["departments.yaml"]


def test_contradictions_between_files_are_reported_with_other_errors(tmp_path: Path) -> None:
    city = put(put(GOOD, ("departments", 0, "email"), "desk"), ("rules", 0, "lead"), "zoo")
    told = problems(write(tmp_path, city, city="name: {zh: 城, en: C}\ntime_zone: Nowhere\n"))
    assert [one.split(":")[0] for one in told] == ["city.yaml", "departments.yaml", "rules.yaml"]


@pytest.mark.parametrize("file", ["city", *LISTS])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("# nothing\n", ": the file is empty; write its entries or see the sample city."),
        ("", ": the file is empty"),
        ("7\n", ': "7" is not a '),
        ("\ta: 1\n", ":1: the line is indented with a tab; indent with spaces."),
        ("- a: 1\n\tb: 2\n", ":2: the line is indented with a tab"),
        (
            "- a\n\n- {b: [\n",
            ":4: this is not valid YAML (expected the node content, but found '<stream end>'); put quotes",
        ),
        ("- 'a\n", ":2: this is not valid YAML (found unexpected end of stream)"),
        ("- a: b: c\n", ":1: this is not valid YAML (mapping values are not allowed here)"),
        ("--- \na: 1\n---\nb: 2\n", ":3: a second document begins here; remove the line '---'."),
        ("- &a [x]\n- *a\n", ':2: "*a" is an alias; write the value itself.'),
        ("- &a [*a]\n", ':1: "*a" is an alias'),
        ("- {a: 1,\n   b: 2,\n   a: 3}\n", ':3: the key "a" is repeated, first in line 1; keep one of them.'),
        ("? [a, b]\n: c\n", ":1: a field's name must be a word; write 'field: value'."),
        ("- !!python/object:os.system x\n", ':1: "x" cannot be read; write plain text, in quotes.'),
        ("- 2026-13-45\n", ':1: "2026-13-45" cannot be read; write plain text, in quotes.'),
        ("- !!int x\n", ':1: "x" cannot be read'),
        ("[" * 5_000, ": the file is nested too deeply; a city's file needs no more than five levels."),
        ("- a\x07\n", ":1: the character U+0007 is not allowed; remove it."),
        ("a: \0\n", ":1: the character U+0000 is not allowed"),
        ("\n名: 某城\n".encode("gb18030"), ":2: byte 1 (0xC3) is not UTF-8; save the file as UTF-8."),
        ("a: 1\n".encode("utf-16"), ":1: byte 0 (0xFF) is not UTF-8; save the file as UTF-8."),
        (
            b"#" * (FILE_BYTES_MAX + 1),
            f": the file has {FILE_BYTES_MAX + 1} bytes; the limit is {FILE_BYTES_MAX}: ",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_file_that_is_not_plain_yaml_is_reported(
    tmp_path: Path, file: str, content: str | bytes, sentence: str
) -> None:
    told = problems(write(tmp_path, **{file: content}))
    assert any(one.startswith(f"{file}.yaml{sentence}") for one in told), told
    assert all(one.isprintable() for one in told)


def test_yaml_aliases_that_expand_exponentially_are_rejected(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert problems(write(tmp_path, city="\n".join(lines))) == (
        'city.yaml:2: "*a0" is an alias; write the value itself.',
    )


@pytest.mark.parametrize("file", ["city", *NEEDED])
def test_a_missing_file_or_a_folder_in_its_place_is_reported(tmp_path: Path, file: str) -> None:
    path = write(tmp_path) / f"{file}.yaml"
    path.unlink()
    assert problems(tmp_path) == (f"{file}.yaml: the file does not exist in '{tmp_path}'; add it.",)
    path.mkdir()
    assert problems(tmp_path) == (f"{file}.yaml: this is not a file; replace it with a file of that name.",)
    path.rmdir()
    path.symlink_to(path)
    assert problems(tmp_path) == (
        f"{file}.yaml: the file cannot be read (Too many levels of symbolic links); make it readable.",
    )


@pytest.mark.parametrize(
    "name", ["rules.yaml", "departments.yaml", "city.yaml", "policies.yaml", "calendars.yaml", "texts.yaml"]
)
def test_a_named_pipe_is_rejected_without_waiting(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    os.mkfifo(tmp_path / name)
    assert problems(tmp_path) == (f"{name}: this is not a file; replace it with a file of that name.",)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("department.yaml", 'department.yaml: a city has no file of that name; did you mean "departments.yaml".'),
        (
            "zoo.yaml",
            "zoo.yaml: a city has no file of that name; known files are city.yaml, departments.yaml, policies.yaml, ",
        ),
        ("rules.yml", "rules.yml: a city's files must end in .yaml; rename the file."),
        ("rules/1.yml", "rules/1.yml: a city's files must end in .yaml; rename the file."),
        ("texts/parks.yml", "texts/parks.yml: a city's files must end in .yaml; rename the file."),
        ("text.yaml", 'text.yaml: a city has no file of that name; did you mean "texts.yaml".'),
    ],
)
def test_an_unknown_file_is_reported(tmp_path: Path, name: str, sentence: str) -> None:
    path = write(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("[]")
    [told] = problems(tmp_path)
    assert told.startswith(sentence)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    text = (write(tmp_path) / "departments.yaml").read_bytes()
    assert len(load_city(write(tmp_path, departments=b"\xef\xbb\xbf" + text)).departments) == 4


def test_unrelated_files_in_the_folder_are_ignored(tmp_path: Path) -> None:
    for name in ("README.md", ".hidden", "city.yaml~"):
        (write(tmp_path) / name).write_text("7")
    assert load_city(tmp_path).time_zone == "Asia/Shanghai"


@pytest.mark.parametrize("hours", [".inf", ".nan", "-.inf", "1e999", "99999999999999999999"])
def test_invalid_hours_are_reported(tmp_path: Path, hours: str) -> None:
    policies = f"- {{id: standard, accept_h: 1, first_reply_h: 2, resolve_h: {hours}}}\n"
    [told] = problems(write(tmp_path, policies=policies))
    assert "is not a time; write hours as a number above 0" in told or "ascending order" in told


@pytest.mark.parametrize(
    ("text", "shown"), [("no", "false"), ("1_000", "1000"), ("2026-03-16", "2026-03-16"), ("~", "null")]
)
def test_values_that_yaml_converts_to_another_type_are_reported(tmp_path: Path, text: str, shown: str) -> None:
    rules = GOOD_RULE.replace("[路灯]", f"[{text}]")
    [told] = problems(write(tmp_path, rules=rules))
    assert told.startswith(f'rules.yaml:1, rule "dark", field any[0]: "{shown}" is not text; write ')


def test_only_the_first_of_thousands_of_errors_are_reported(tmp_path: Path) -> None:
    told = problems(write(tmp_path, departments="- 7\n" * 5_000, rules="[]", texts="[]"))
    assert (len(told), told[-1]) == (MOST_TOLD + 1, f"And {5_000 - MOST_TOLD} more.")
    told = problems(write(tmp_path, departments="- {" + ", ".join(["a: 1"] * 5_000) + "}"))
    assert (len(told), told[-1][:4]) == (MOST_TOLD + 1, "And ")


def test_a_city_too_large_for_one_record_is_reported(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "rules").mkdir()
    words = ", ".join(["路" * 2_000] * 100)
    for number in range(7):
        rule = GOOD_RULE.replace("dark", f"dark-{number}").replace("[路灯]", f"[{words}]")
        (folder / "rules" / f"{number}.yaml").write_text(rule)
    [told] = problems(folder)
    assert told.startswith("The city has ")
    assert told.endswith(f" bytes; a revision can have at most {CITY_BYTES_MAX}.")
