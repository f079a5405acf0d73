"""`chorus text`: the text modules of departments, and the modules of a case with its values."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from deploy.cli import desk_client
from deploy.cli.console import USAGE, Failure, ask, emit, options, say, stack
from deploy.cli.desk_client import answered
from deploy.cli.operations.case import indented
from deploy.cli.tables import show_table
from shared.contracts.ids import DEPARTMENT_CODE

text = typer.Typer(help="Text modules: answers and phrases of departments, filled from a case.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The code of the department.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the module, for example fallen-tree.")]


@text.command("list")
def list_texts(
    department: Annotated[str | None, typer.Option(metavar="CODE", help="Only the modules of this department.")] = None,
) -> None:
    """List text modules by department and id; a clerk sees those of the own department."""
    query = {"department": department} if department else {}
    found = list(desk_client.pages(f"{stack().urls.router}/texts", "texts", query))
    if found:
        show_table(("department", "id", "kind", "Chinese", "English", "subjects", ""), map(_row, found))
    say(f"{len(found)} text module{'' if len(found) == 1 else 's'}.")
    emit(found)


@text.command()
def show(code: Code, id_: Id) -> None:
    """Show a text module with its placeholders, in both languages."""
    found = ask("GET", _url(code, id_), operator=True).json()
    if not options.as_json:
        say(*_lines(found))
    emit(found)


@text.command("set")
def set_text(
    code: Code,
    id_: Id,
    zh: Annotated[str | None, typer.Option(metavar="TEXT", help="The Chinese text, with placeholders.")] = None,
    en: Annotated[str | None, typer.Option(metavar="TEXT", help="The English text, with placeholders.")] = None,
    title_zh: Annotated[str | None, typer.Option(help="What the department calls it, in Chinese.")] = None,
    title_en: Annotated[str | None, typer.Option(help="What the department calls it, in English.")] = None,
    kind: Annotated[str | None, typer.Option(help="answer (a whole contribution) or phrase (a piece of one).")] = None,
    subject: Annotated[
        list[str] | None, typer.Option(metavar="TERM", help="A term of subject lines; repeat for more.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(metavar="CATEGORY", help="A category of rules; repeat for more.")
    ] = None,
) -> None:
    """Write a text module. Of a known one, whatever you leave out stays; a new one needs both texts and both titles."""
    before = _known(code, id_)
    kept = {name: before[name] for name in ("kind", "subjects", "categories") if name in before}
    given = {"kind": kind, "subjects": subject, "categories": category}
    body: dict[str, Any] = kept | {name: value for name, value in given.items() if value is not None}
    body["title"] = _both(before.get("title"), title_zh, title_en)
    body["text"] = _both(before.get("text"), zh, en)
    revised = ask("PUT", _url(code, id_), operator=True, json=body).json()
    say(f"{'Changed' if before else 'Added'} {code}/{id_}, revision {revised['revision']}.")
    emit({"department": code, "id": id_, "added": not before} | revised)


@text.command()
def remove(code: Code, id_: Id) -> None:
    """Remove a text module. `chorus apply` does not bring it back."""
    revised = ask("DELETE", _url(code, id_), operator=True).json()
    say(f"Removed {code}/{id_}, revision {revised['revision']}.")
    emit({"department": code, "id": id_} | revised)


@text.command()
def fill(
    inquiry: Annotated[str, typer.Argument(metavar="INQUIRY", help="The number of the inquiry.")],
    language: Annotated[str | None, typer.Option(help="zh or en; default: the language of the resident.")] = None,
) -> None:
    """Show the text modules of the departments of a case with its values, those for its subject first."""
    query = {"language": language} if language else {}
    url = f"{stack().urls.router}/cases/{quote(inquiry, safe='')}/texts"
    found = ask("GET", url, operator=True, params=query).json()
    if not options.as_json:
        for one in found["texts"]:
            say(*_filled_lines(one))
        for one in found["written"]:
            say(*_written_lines(one))
    say(f"{len(found['texts'])} text module{'' if len(found['texts']) == 1 else 's'}.")
    emit(found)


def _url(code: str, id_: str) -> str:
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(
            USAGE, f"{code!r} is not a department code: use 2 to 31 of a-z, 0-9 and -, beginning with a letter."
        )
    return f"{stack().urls.router}/departments/{code}/texts/{quote(id_, safe='')}"


def _known(code: str, id_: str) -> dict[str, Any]:
    """The module as it is; empty if there is none."""
    try:
        found: dict[str, Any] = ask("GET", _url(code, id_), operator=True).json()
    except Failure as failure:
        if answered(failure, httpx.codes.NOT_FOUND):
            return {}
        raise
    return found


def _both(before: Mapping[str, str] | None, zh: str | None, en: str | None) -> dict[str, str]:
    """Both languages, as far as they are known; the desk says what is missing."""
    given = {name: value for name, value in (("zh", zh), ("en", en)) if value is not None}
    return {**(before or {}), **given}


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    title = one["title"]
    return one["department"], one["id"], one["kind"], title["zh"], title["en"], one["subjects"], one["origin"]


def _lines(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{one['department']}/{one['id']} ({one['kind']}, {one['origin']})"
    for name in ("subjects", "categories"):
        if one[name]:
            yield f"  {name:12} {', '.join(one[name])}"
    for language in ("zh", "en"):
        yield f"  {one['title'][language]}:"
        yield from indented(one["text"][language])


def _filled_lines(one: Mapping[str, Any]) -> Iterator[str]:
    meant = {"this": ", for this subject", "others": ", for other subjects"}.get(one["meant_for"], "")
    yield f"{one['department']}/{one['id']} ({one['kind']}{meant}): {one['title']}"
    yield from indented(one["text"])
    if one["missing"]:
        yield f"  The case has no value for {', '.join(one['missing'])}: write what belongs there."


def _written_lines(one: Mapping[str, Any]) -> Iterator[str]:
    if one["unchanged"]:
        yield f"The text of {one['part_id']} is the module {', '.join(one['unchanged'])} unchanged."
    if one["gaps"]:
        yield f"The text of {one['part_id']} still has gaps: {', '.join(one['gaps'])}."
