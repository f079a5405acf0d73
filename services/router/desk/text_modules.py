"""The desk's routes for text modules: departments read, write and remove their own, and fill them from a case."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Request

from services.router.desk.city_requests import text_sent
from services.router.desk.city_revisions import CityDesk, required
from services.router.desk.city_views import index_in_force, latest
from services.router.desk.responses import Revised
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import case_of
from services.router.domain.staff import StaffUser
from services.router.domain.text_modules import (
    MeantFor,
    Values,
    by_fitness,
    fill,
    gaps_in,
    modules_behind,
    own_part,
    values_of,
)
from services.router.users.guard import Who
from services.router.users.rights import ACTIONS
from shared.city import City, Name, TextModule, put_text, remove_text
from shared.city.entries import Terms
from shared.city.text_modules import Key, ModuleText
from shared.contracts.documented import Documented
from shared.http.parameters import After, DepartmentCode, InquiryId, PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.query_fields import unknown_place
from shared.http.request_body import body_of, limited_body
from shared.runtime.languages import Lang

TextId = Annotated[str, Path(description="The module's id, such as `fallen-tree`.")]


class TextBody(Documented):
    """The body of `PUT /departments/{code}/texts/{id}`."""

    kind: str = "answer"
    """What the text is: `answer`, a whole contribution, or `phrase`, a piece of one."""
    title: Name
    """What the department calls the module, in both languages."""
    subjects: tuple[str, ...] = ()
    """Terms of subject lines for which the module is meant, as in rules; empty for every subject."""
    categories: tuple[str, ...] = ()
    """Categories of rules for which the module is meant; empty for every category."""
    text: ModuleText
    """The text in both languages, with placeholders such as `{{subject}}`."""


class TextShown(Documented):
    """A text module."""

    department: str
    """The code of the department that uses it."""
    id: str
    """The module's id, unique in its department."""
    kind: str
    """`answer` for a whole contribution, `phrase` for a piece of one."""
    title: Name
    """What the department calls the module, in both languages."""
    subjects: Terms
    """Terms of subject lines for which the module is meant; empty for every subject."""
    categories: tuple[str, ...]
    """Categories of rules for which the module is meant; empty for every category."""
    text: ModuleText
    """The text in both languages, with its placeholders."""
    origin: Literal["folder", "desk", "changed"]
    """`folder`: as the city folder has it; `changed`: the desk has another text than the folder; `desk`: only here."""

    @classmethod
    def of(cls, module: TextModule, city: City) -> Self:
        origin = next((one.origin for one in city.text_origins if one.key == module.key), None)
        return cls(**module.model_dump(), origin="folder" if origin in (None, "removed") else origin)


class TextPage(Documented):
    """Text modules, by department and id."""

    texts: list[TextShown]
    """The modules of this page."""
    next: str | None
    """The place at which the next page continues; null on the last page."""


class FilledTextShown(Documented):
    """A text module with the values of a case."""

    department: str
    """The code of the department that uses the module."""
    id: str
    """The module's id."""
    kind: str
    """`answer` for a whole contribution, `phrase` for a piece of one."""
    title: str
    """What the department calls the module."""
    text: str
    """The text with the values of the case; where the case has none, it has a gap such as `[missing: area]`."""
    missing: tuple[str, ...]
    """The placeholders for which the case has no value: write what belongs there before you send the text."""
    meant_for: MeantFor
    """`this`: for the subject and category of this case; `all`: for every case; `others`: for other subjects."""


class TextUseShown(Documented):
    """What a department has written for its part, compared with its text modules."""

    part_id: str
    """The id of the part."""
    unchanged: tuple[str, ...]
    """The ids of the modules that the contribution, or its draft, has unchanged, apart from the values of the case."""
    gaps: tuple[str, ...]
    """The placeholders that are still not filled in it."""


class FilledTexts(Documented):
    """The text modules of the departments of a case, filled from it. Nothing of it is stored."""

    language: Lang
    """The language of the texts."""
    texts: list[FilledTextShown]
    """The modules that are meant for the subject and category of the case first."""
    written: list[TextUseShown]
    """The contributions and drafts of these departments."""


def add_routes(api: APIRouter, city: CityDesk) -> None:
    _module_routes(api, city)

    @api.get("/texts", summary="Text modules, page by page; those of your department, if you have one")
    async def texts(
        who: Who,
        department: Annotated[str | None, Query(description="Only modules of this department.")] = None,
        after: After = None,
        limit: PageSize = 100,
    ) -> TextPage:
        if department is not None:
            check_own(who, department, "read-texts")
        return page(await latest(city), department or who.department, after, limit)

    @api.get("/cases/{inquiry_id}/texts", summary="The text modules of a department, filled from a case")
    async def filled(
        inquiry_id: InquiryId,
        who: Who,
        language: Annotated[Lang | None, Query(description="`zh` or `en`; default: the resident's language.")] = None,
    ) -> FilledTexts:
        case = case_of(inquiry_id, await city.store.decisions.of(inquiry_id))
        departments = dict.fromkeys(part.department for part in case.parts.values())
        seen = [one for one in departments if who.department in (None, one) and own_part(case, one)]
        if case.inquiry is None or (who.department and not seen):
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        return filled_texts(case, seen, await index_in_force(city), language or case.inquiry.language)


def _module_routes(api: APIRouter, city: CityDesk) -> None:
    path = "/departments/{code}/texts/{id}"

    @api.get(path, summary="A text module")
    async def text(code: DepartmentCode, id: TextId, who: Who) -> TextShown:
        check_own(who, code, "read-texts")
        found = await latest(city)
        return TextShown.of(existing(found, (code, id)), found)

    @api.put(path, openapi_extra=body_of(TextBody), responses=documented(408, 409, 413), summary="Write a text module")
    async def put(code: DepartmentCode, id: TextId, request: Request, who: Who) -> Revised:
        check_own(who, code, "change-texts")
        module = text_sent(code, id, await limited_body(request))

        def change(current: City | None) -> City:
            in_force = required(current)
            if in_force.department(code) is None:
                raise Problem(404, f"There is no department {shown(code)}.")
            return put_text(in_force, module)

        return Revised.of(await city.revise(change, who, module))

    @api.delete(path, responses=documented(409), summary="Remove a text module")
    async def remove(code: DepartmentCode, id: TextId, who: Who) -> Revised:
        check_own(who, code, "change-texts")

        def change(current: City | None) -> City:
            in_force = required(current)
            existing(in_force, (code, id))
            return remove_text(in_force, (code, id))

        return Revised.of(await city.revise(change, who))


def check_own(who: StaffUser, code: str, action: str) -> None:
    """Raise Problem 403 if the user's department is another one."""
    if who.department in (None, code):
        return
    what, roles = ACTIONS[action]
    raise Problem(
        403,
        f"The role {who.role!r} of {shown(who.department or '')} may not {what} of {shown(code)}; allowed roles: "
        f"{', '.join(roles)}, those with a department only for their own.",
    )


def existing(city: City, key: Key) -> TextModule:
    """The module. Raises Problem 404."""
    found = city.text(key)
    if found is None:
        raise Problem(404, f"The department {shown(key[0])} has no text module {shown(key[1])}.")
    return found


def page(city: City, department: str | None, after: str | None, limit: int) -> TextPage:
    """The modules after the place `after`, a department and an id. Raises Problem 404 for a place that cannot be one."""
    modules = sorted(city.texts, key=lambda one: one.key)
    wanted = [one for one in modules if department in (None, one.department)]
    if after is not None:
        code, slash, id_ = after.partition("/")
        if not slash or (department is not None and code != department) or city.department(code) is None:
            raise unknown_place(after)
        wanted = [one for one in wanted if one.key > (code, id_)]
    rows = [TextShown.of(one, city) for one in wanted[:limit]]
    last = rows[-1] if rows else None
    return TextPage(texts=rows, next=f"{last.department}/{last.id}" if last and len(wanted) > limit else None)


def filled_texts(case: Case, departments: Sequence[str], city: CityIndex, language: Lang) -> FilledTexts:
    """The modules of these departments, which have a part of the case, and what they have written."""
    modules = [one for one in city.city.texts if one.department in departments]
    parts = {one.department: one for one in (own_part(case, code) for code in departments) if one}
    values = {code: values_of(case, part, city) for code, part in parts.items()}
    return FilledTexts(
        language=language,
        texts=[_filled(one, values[one.department], language, fit) for one, fit in by_fitness(modules, case, city)],
        written=[
            TextUseShown(
                part_id=part.id,
                unchanged=tuple(
                    one.id
                    for one in modules_behind(text, values[code], [one for one in modules if one.department == code])
                ),
                gaps=gaps_in(text),
            )
            for code, part in parts.items()
            if (text := part.text.text if part.text else part.draft)
        ],
    )


def _filled(module: TextModule, values: Values, language: Lang, fit: MeantFor) -> FilledTextShown:
    found = fill(module.text.en if language == "en" else module.text.zh, values[language], language)
    return FilledTextShown(
        department=module.department,
        id=module.id,
        kind=module.kind,
        title=module.title.en if language == "en" else module.title.zh,
        text=found.text,
        missing=found.missing,
        meant_for=fit,
    )
