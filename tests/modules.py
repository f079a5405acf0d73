"""Text modules of the tests' city."""

from typing import Any

from services.router.domain.city_index import CityIndex, city_index
from shared.city import Name, TextModule
from shared.city.text_modules import ModuleText
from tests.builders import CITY


def a_module(department: str, id_: str, zh: str = "谢谢。", en: str = "Thank you.", **more: Any) -> TextModule:
    fields = {"title": Name(zh=f"{id_}模块", en=f"The module {id_}"), **more}
    return TextModule(id=id_, department=department, text=ModuleText(zh=zh, en=en), **fields)


REPAIRED = a_module(
    "lighting",
    "repaired",
    "您于{{received_on}}反映的“{{subject}}”（{{inquiry_id}}）已由{{department}}修复。",
    "The {{department}} has repaired it: “{{subject}}” of {{received_on}} ({{inquiry_id}}).",
    subjects=("路灯",),
)
VISIT = a_module(
    "lighting",
    "visit",
    "{{resident_name}}，您好！我们将于{{due_on}}前到{{area}}查看。",
    "Dear {{resident_name}}, we will come to {{area}} by {{due_on}}.",
    kind="phrase",
)
TREES = a_module("lighting", "trees", subjects=("树", "tree*"))
PAVED = a_module("roads", "paved", "{{subject}}：路面已修补。", "{{subject}}: the surface is repaired.")


def with_texts(*modules: TextModule, **more: Any) -> CityIndex:
    """The tests' city with these text modules."""
    return city_index(CITY.model_copy(update={"texts": modules, "telephone": "12345", **more}))
