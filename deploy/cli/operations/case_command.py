"""`chorus case command`: sends any command of the desk for a case, and prints what became of it."""

from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from deploy.cli import desk_client
from deploy.cli.console import USAGE, Failure
from shared.contracts.inputs import DESK_COMMANDS


def command(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="The type of the command, for example accept or assign.")
    ],
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]…",
            help="The fields of the command, for example part_id=…-p1, final=false, co_handlers=water,roads.",
        ),
    ] = None,
) -> None:
    """Send a command for a case and print what became of it. Exit code 4: refused."""
    desk_client.command(inquiry, body_of(type_, fields or []))


def body_of(type_: str, fields: list[str]) -> dict[str, Any]:
    """The body of the command; raises Failure 2 for a field that cannot be read."""
    body: dict[str, Any] = {"type": type_}
    # The desk may be newer and know more commands; their fields are then text.
    known = DESK_COMMANDS[type_].model_fields if type_ in DESK_COMMANDS else {}
    for one in fields:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Failure(USAGE, f"{one!r} is not FIELD=VALUE: write for example part_id=20260316-7KQ2M9XD-p1.")
        if name in body:
            raise Failure(USAGE, f"The field {name!r} is given twice: write it once.")
        body[name] = _value(name, value, known.get(name))
    return body


def _value(name: str, value: str, field: FieldInfo | None) -> Any:
    """A text as it is, `true` or `false`, a list with commas between its texts, or JSON for a list of objects."""
    if field is None or field.annotation in (str, str | None) or get_origin(field.annotation) is Literal:
        return value
    kinds = (field.annotation, *get_args(field.annotation))
    if any(get_origin(one) is tuple for one in kinds) and not value.lstrip().startswith("["):
        return [one.strip() for one in value.split(",") if one.strip()]
    adapter: TypeAdapter[Any] = TypeAdapter(field.annotation or Any)
    try:
        return adapter.dump_python(adapter.validate_json(value), mode="json")
    except ValidationError as error:
        raise Failure(USAGE, f"The field {name!r} cannot be {value!r}: {error.errors()[0]['msg']}.") from error
