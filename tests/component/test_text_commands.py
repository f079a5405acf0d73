"""`chorus text` and `chorus apply --texts` against a fake desk: what they send and show."""

import json
from typing import Any

import pytest

from deploy.failure import DONE, REFUSED, USAGE
from shared.city import City, load_city
from shared.city.text_modules import TextOrigin
from tests.builders import INQUIRY
from tests.component.town import Answer, Asked, Chorus, Town, problem
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "city"
MODULE: dict[str, Any] = {
    "department": "parks",
    "id": "fallen-tree",
    "kind": "answer",
    "title": {"zh": "倒伏树木", "en": "Fallen tree"},
    "subjects": ["倒伏"],
    "categories": ["complex"],
    "text": {"zh": "{{area}}已清理。\n谢谢。", "en": "{{area}} is cleared."},
    "origin": "folder",
}
REVISED = {"revision": 8, "departments": 30, "rules": 80}
FILLED = {
    "language": "zh",
    "texts": [
        {name: MODULE[name] for name in ("department", "id", "kind")}
        | {"title": "倒伏树木", "text": "【缺：所在区域】已清理。", "missing": ["area"], "meant_for": "this"}
    ],
    "written": [{"part_id": f"{INQUIRY}-p1", "unchanged": ["fallen-tree"], "gaps": ["area"]}],
}


def desk(asked: Asked) -> Answer:
    if asked.method in ("PUT", "DELETE"):
        return 200, REVISED, {}
    if asked.path.startswith("/texts"):
        return 200, {"texts": [MODULE], "next": None}, {}
    return (200, MODULE, {}) if asked.path.endswith("/fallen-tree") else problem(404, "There is none.")


def test_list_and_show(town: Town, chorus: Chorus) -> None:
    town.says = desk
    listed = chorus("text", "list", "--department", "parks")
    assert (listed.code, "fallen-tree" in listed.out, "1 text module." in listed.out) == (DONE, True, True)
    assert town.asked[0].path.startswith("/texts?department=parks&")
    shown = chorus("text", "show", "parks", "fallen-tree")
    assert "{{area}}已清理。" in shown.out
    assert chorus("text", "show", "parks", "fallen-tree", "--json").document == MODULE


def test_set_keeps_what_is_not_given(town: Town, chorus: Chorus) -> None:
    town.says = desk
    done = chorus("text", "set", "parks", "fallen-tree", "--zh", "好了。", "--subject", "树", "--subject", "tree*")
    assert (done.code, "Changed parks/fallen-tree, revision 8." in done.out) == (DONE, True)
    assert (town.asked[-1].method, town.asked[-1].path) == ("PUT", "/departments/parks/texts/fallen-tree")
    assert town.asked[-1].body == {name: MODULE[name] for name in ("kind", "title", "categories")} | {
        "subjects": ["树", "tree*"],
        "text": {"zh": "好了。", "en": "{{area}} is cleared."},
    }


def test_set_adds_a_module(town: Town, chorus: Chorus) -> None:
    town.says = desk
    done = chorus(
        "text", "set", "parks", "new", "--zh", "好", "--en", "OK", "--title-zh", "好", "--title-en", "OK", "--json"
    )
    assert done.document == {"department": "parks", "id": "new", "added": True} | REVISED
    assert town.asked[-1].body == {"title": {"zh": "好", "en": "OK"}, "text": {"zh": "好", "en": "OK"}}


def test_a_refusal_is_shown_with_its_field(town: Town, chorus: Chorus) -> None:
    def refuses(asked: Asked) -> Answer:
        return desk(asked) if asked.method == "GET" else problem(422, '"{{x}}" is not a placeholder')

    town.says = refuses
    done = chorus("text", "set", "parks", "fallen-tree", "--zh", "{{x}}")
    assert (done.code, '"{{x}}" is not a placeholder' in done.err) == (REFUSED, True)
    assert chorus("text", "show", "parks", "nothing").code == REFUSED
    assert chorus("text", "show", "Parks!", "nothing").code == USAGE


def test_remove(town: Town, chorus: Chorus) -> None:
    town.says = desk
    assert chorus("text", "remove", "parks", "fallen-tree").code == DONE
    assert (town.asked[-1].method, town.asked[-1].path) == ("DELETE", "/departments/parks/texts/fallen-tree")


def test_fill_names_gaps_and_unchanged_texts(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, FILLED, {})
    done = chorus("text", "fill", INQUIRY, "--language", "zh")
    assert town.asked[0].path == f"/cases/{INQUIRY}/texts?language=zh"
    assert "【缺：所在区域】已清理。" in done.out
    assert "The case has no value for area: write what belongs there." in done.out
    assert f"The text of {INQUIRY}-p1 is the module fallen-tree unchanged." in done.out
    assert f"The text of {INQUIRY}-p1 still has gaps: area." in done.out
    assert chorus("text", "fill", INQUIRY, "--json").document == FILLED


# ── apply ────────────────────────────────────────────────────────────────────


@pytest.fixture
def changed() -> City:
    """The sample city after a department has changed one of its modules."""
    city = load_city(FOLDER)
    texts = tuple(
        one.model_copy(update={"kind": "phrase"}) if one.id == "fallen-tree" else one
        for one in sorted(city.texts, key=lambda one: one.key)
    )
    origins = (TextOrigin(department="parks", id="fallen-tree", origin="changed"),)
    return city.model_copy(update={"revision": 7, "texts": texts, "text_origins": origins})


def test_apply_says_that_a_changed_module_stays(town: Town, chorus: Chorus, changed: City) -> None:
    town.says = lambda _: (200, json.loads(changed.model_dump_json()), {})
    done = chorus("apply", str(FOLDER), "--json")
    assert (done.code, town.posts("/city"), done.document["revision"]) == (DONE, [], 7)
    assert "text parks/fallen-tree: stays as its department changed it; with `--texts folder`" in done.err
    assert done.document["changes"] == [
        {"kind": "text", "id": "parks/fallen-tree", "change": "kept-changed", "fields": []}
    ]


def test_apply_takes_the_folders_texts_when_told(town: Town, chorus: Chorus, changed: City) -> None:
    town.says = lambda asked: (200, REVISED if asked.method == "POST" else json.loads(changed.model_dump_json()), {})
    done = chorus("apply", str(FOLDER), "--texts", "folder", "--yes")
    assert done.code == DONE, done.err
    assert 'text parks/fallen-tree: kind "phrase" → "answer"' in done.out
    assert [one.path for one in town.asked if one.method == "POST"] == ["/city?texts=folder"]
    assert chorus("apply", str(FOLDER), "--texts", "nobody").code == USAGE
