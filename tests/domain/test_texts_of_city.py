"""Text modules of the city: what the desk writes and removes stays when a folder is applied, and the difference says so."""

from pathlib import Path

import pytest

from deploy.cli.operations.city_changes import lines, totals
from shared.city import City, CityError, TextModule, load_city, merge, put_text, remove_text, retire
from shared.city.difference import Change, difference
from shared.city.text_modules import MODULES_BYTES_MAX, MODULES_MAX, TextOrigin
from tests.builders import a_city, a_department
from tests.city_cases import GOOD
from tests.domain.test_city_files import problems, write
from tests.modules import a_module

ONE, TWO = a_module("parks", "one", "甲"), a_module("parks", "two", "乙")
OTHER_ONE = a_module("parks", "one", "丙")
KEY = ("parks", "one")


def folder(*texts: TextModule) -> City:
    city = a_city(a_department("parks"), a_department("roads"))
    return city.model_copy(update={"texts": texts})


def applied(current: City | None, *texts: TextModule, wins: bool = False) -> City:
    return merge(current, folder(*texts), texts_of_folder=wins)


def shown(current: City, *texts: TextModule, wins: bool = False) -> list[tuple[str, str]]:
    return [(one.id, one.what) for one in difference(current, folder(*texts), texts_of_folder=wins)]


def origins(city: City) -> dict[str, str]:
    return {one.id: one.origin for one in city.text_origins}


FIRST = applied(None, TWO, ONE)


def test_the_folder_adds_changes_and_removes_its_own_modules() -> None:
    assert (FIRST.texts, FIRST.text_origins) == ((ONE, TWO), ())
    assert shown(FIRST, ONE, TWO) == []
    assert shown(FIRST, OTHER_ONE) == [("parks/one", "changed"), ("parks/two", "removed")]
    after = applied(FIRST, OTHER_ONE)
    assert (after.texts, after.text_origins) == ((OTHER_ONE,), ())


def test_what_the_desk_changed_stays_until_the_folder_says_the_same() -> None:
    changed = put_text(FIRST, OTHER_ONE)
    assert origins(changed) == {"one": "changed"}
    assert shown(changed, ONE, TWO) == [("parks/one", "kept-changed")]
    assert applied(changed, ONE, TWO) == changed
    same = applied(changed, OTHER_ONE, TWO)
    assert (same.texts, same.text_origins) == ((OTHER_ONE, TWO), ())


def test_what_the_desk_removed_does_not_come_back() -> None:
    removed = remove_text(FIRST, KEY)
    assert (removed.texts, origins(removed)) == ((TWO,), {"one": "removed"})
    assert shown(removed, ONE, TWO) == [("parks/one", "kept-removed")]
    assert applied(removed, ONE, TWO) == removed
    forgotten = applied(removed, TWO)
    assert (forgotten.texts, forgotten.text_origins) == ((TWO,), ())
    assert applied(forgotten, ONE, TWO).texts == (ONE, TWO)


def test_a_module_of_the_desk_stays_when_no_folder_has_it() -> None:
    own = a_module("parks", "own")
    city = put_text(FIRST, own)
    assert origins(city) == {"own": "desk"}
    assert shown(city, ONE, TWO) == [("parks/own", "kept")]
    assert applied(city, ONE, TWO) == city
    gone = remove_text(city, own.key)
    assert (gone.texts, gone.text_origins) == (FIRST.texts, ())


def test_a_changed_module_stays_when_the_folder_drops_it() -> None:
    after = applied(put_text(FIRST, OTHER_ONE), TWO)
    assert (after.texts, origins(after)) == ((OTHER_ONE, TWO), {"one": "desk"})


def test_a_folder_that_later_has_a_module_of_the_desk_does_not_take_it() -> None:
    after = applied(put_text(folder(), OTHER_ONE), ONE)
    assert (after.texts, origins(after)) == ((OTHER_ONE,), {"one": "changed"})


def test_a_removed_module_that_is_written_again_is_a_changed_one() -> None:
    again = put_text(remove_text(FIRST, KEY), OTHER_ONE)
    assert (again.text(KEY), origins(again)) == (OTHER_ONE, {"one": "changed"})


def test_the_folder_wins_where_the_operator_says_so_and_takes_no_module_that_it_does_not_have() -> None:
    own = a_module("parks", "own")
    city = put_text(remove_text(put_text(FIRST, OTHER_ONE), TWO.key), own)
    assert shown(city, ONE, TWO, wins=True) == [
        ("parks/one", "changed"),
        ("parks/two", "added"),
        ("parks/own", "kept"),
    ]
    after = applied(city, ONE, TWO, wins=True)
    assert (after.texts, origins(after)) == ((ONE, own, TWO), {"own": "desk"})


def test_the_same_text_again_and_the_removal_of_nothing_change_nothing() -> None:
    assert put_text(FIRST, ONE) == FIRST
    assert remove_text(FIRST, ("parks", "nothing")) == FIRST
    assert remove_text(FIRST, ("roads", "one")) == FIRST


def test_two_departments_may_use_the_same_id() -> None:
    city = put_text(FIRST, a_module("roads", "one", "丁"))
    assert city.text(KEY) == ONE
    assert applied(city, ONE, TWO) == city


def test_origins_in_a_request_have_no_effect() -> None:
    sent = folder(ONE).model_copy(
        update={"text_origins": (TextOrigin(department="parks", id="one", origin="removed"),)}
    )
    assert merge(FIRST, sent).text_origins == ()
    assert merge(None, sent).text_origins == ()


def test_the_difference_is_one_line_for_each_module_and_one_for_those_of_a_department() -> None:
    city = remove_text(put_text(FIRST, OTHER_ONE), TWO.key)
    city = put_text(put_text(city, a_module("roads", "xx")), a_module("roads", "yy"))
    changes = difference(city, folder(ONE, TWO, a_module("parks", "three")))
    assert list(lines(changes, city)) == [
        "  text parks/three: added",
        "  text parks/one: stays as its department changed it; with `--texts folder` the folder's text would replace it",
        "  text parks/two: stays removed by its department; with `--texts folder` the folder's text would come back",
        "  text modules of roads: 2 stay that the folder does not have; the department wrote them",
    ]
    assert totals(changes) == "1 text module added"
    [change] = [one for one in difference(FIRST, folder(OTHER_ONE, TWO)) if one.publishes]
    assert (change.kind, change.fields[0].field) == ("text", "text.zh")


# ── limits ───────────────────────────────────────────────────────────────────


def test_a_department_has_at_most_so_many_modules() -> None:
    full = folder(*(a_module("parks", f"m-{number:03}") for number in range(MODULES_MAX)))
    assert put_text(full, a_module("parks", "m-000", "别的")).text(("parks", "m-000")) is not None
    with pytest.raises(CityError, match=f'text "one": with this one, "parks" has more than {MODULES_MAX} text modules'):
        put_text(full, ONE)
    assert put_text(full, a_module("roads", "one")).text(("roads", "one"))
    with pytest.raises(CityError, match="remove one"):
        merge(put_text(folder(), ONE), full)


def test_the_modules_of_a_department_have_a_size() -> None:
    long = "字" * 2_000
    large = folder(*(a_module("parks", f"m-{number}", long, long) for number in range(MODULES_BYTES_MAX // 12_300)))
    with pytest.raises(CityError, match=f"text modules of more than {MODULES_BYTES_MAX} bytes; shorten or remove some"):
        put_text(large, a_module("parks", "one", long, long))


def test_a_folder_with_too_many_modules_is_reported_once_with_its_line(tmp_path: Path) -> None:
    [_, module] = GOOD["texts"]
    texts = [module | {"id": f"m-{number}"} for number in range(MODULES_MAX + 3)]
    told = problems(write(tmp_path, GOOD | {"texts": texts}))
    assert told == (
        f'texts.yaml:1, text "m-{MODULES_MAX}": with this one, "lamps" has more than {MODULES_MAX} text modules; '
        "remove one.",
    )


# ── files ────────────────────────────────────────────────────────────────────


def test_texts_may_be_in_several_files_and_may_be_missing(tmp_path: Path) -> None:
    city = write(tmp_path)
    (city / "texts").mkdir()
    (city / "texts.yaml").rename(city / "texts" / "lamps.yaml")
    assert [one.id for one in load_city(city).texts] == ["thanks", "repaired"]
    (city / "texts" / "hills.yaml").write_text(
        "- {id: thanks, department: hils, title: {zh: 谢, en: T}, text: {zh: 谢, en: '{{thanks}}'}}\n", "utf-8"
    )
    assert [one.split(": ")[0] for one in problems(city)] == [
        'texts/hills.yaml:1, text "thanks", field department',
        'texts/hills.yaml:1, text "thanks", field text.en',
    ]
    for file in (city / "texts").glob("*"):
        file.unlink()
    assert load_city(city).texts == ()


def test_a_text_may_have_lines_but_no_other_control_characters(tmp_path: Path) -> None:
    module = GOOD["texts"][0]
    lines_ = GOOD | {"texts": [module | {"text": {"zh": "一\n\n二", "en": "One\ntwo"}}]}
    assert load_city(write(tmp_path, lines_)).texts[0].text.zh == "一\n\n二"
    [told] = problems(write(tmp_path, GOOD | {"texts": [module | {"text": {"zh": "一\t二", "en": "x"}}]}))
    assert "contains the character U+0009; remove it" in told


def test_a_retired_department_keeps_its_modules_and_gets_no_new_ones() -> None:
    city = retire(FIRST, "parks")
    assert city.texts == FIRST.texts
    assert remove_text(city, KEY).texts == (TWO,)
    with pytest.raises(CityError, match='"parks" is retired; name an active department'):
        put_text(city, OTHER_ONE)


def test_a_stored_city_of_a_newer_release_can_be_read() -> None:
    newer = folder(a_module("parks", "one", "{{weather}}", kind="poem"))
    assert City.model_validate_json(newer.model_dump_json()) == newer


def test_a_stored_city_of_an_older_release_has_no_texts() -> None:
    older = folder().model_dump(mode="json")
    for name in ("texts", "text_origins"):
        del older[name]
    assert City.model_validate(older).texts == ()


def test_nothing_of_a_change_is_said_of_a_city_without_texts() -> None:
    assert difference(folder(), folder()) == []
    assert Change("text", "parks/one", "kept-changed").publishes is False
