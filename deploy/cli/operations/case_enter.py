"""`chorus case enter`: enters a message on a resident's behalf, and prints what to hand over."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

import typer

from deploy.cli.console import UNAVAILABLE, Failure, ask, emit, say, stack
from deploy.cli.person import By, person

DIGITS_OF_A_GROUP = 4


class EntryChannel(StrEnum):
    """How the resident came."""

    HOTLINE = "hotline"
    WINDOW = "window"


def enter(
    subject: Annotated[str, typer.Option(metavar="TEXT", help="What it is about, one line.")],
    body: Annotated[str, typer.Option(metavar="TEXT", help="What the resident says.")],
    channel: Annotated[EntryChannel, typer.Option(help="How the resident came.")],
    name: Annotated[str | None, typer.Option(help="The resident's name.")] = None,
    phone: Annotated[str | None, typer.Option(help="The resident's telephone number.")] = None,
    email: Annotated[str | None, typer.Option(help="The resident's e-mail address.")] = None,
    area: Annotated[str | None, typer.Option(help="The area or district of the problem.")] = None,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="The departments must not see name, telephone number and address.")
    ] = False,
    by: By = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key that a failed attempt named: the repeat is then safe.")
    ] = None,
) -> None:
    """Enter the message of a resident who calls or comes, and print its number and code for the resident."""
    contact = {field: value for field, value in (("name", name), ("phone", phone), ("email", email)) if value}
    given: dict[str, Any] = {"subject": subject, "body": body, "channel": channel.value, "confidential": confidential}
    given |= {"by": person(by)} | ({"area": area} if area else {}) | ({"contact": contact} if contact else {})
    key = key or str(uuid4())
    try:
        headers = {"Idempotency-Key": key}
        receipt = ask("POST", f"{stack().urls.router}/inquiries", operator=True, json=given, headers=headers).json()
    except Failure as failure:
        if failure.code != UNAVAILABLE:
            raise
        raise Failure(failure.code, f"{failure.sentence} Repeat the command with --key {key}.") from failure
    say(*handed_over(receipt))
    emit(receipt)


def handed_over(receipt: Mapping[str, Any]) -> tuple[str, ...]:
    """What the resident gets, in both languages; the code in groups, as one reads it out on the telephone."""
    code = str(receipt["query_code"])
    groups = " ".join(code[at : at + DIGITS_OF_A_GROUP] for at in range(0, len(code), DIGITS_OF_A_GROUP))
    return (
        f"诉求编号 / Ticket number:  {receipt['inquiry_id']}",
        f"查询码 / Query code:       {groups}",
        f"查询网址 / Status page:    {receipt['status_url']}",
        "请妥善保管查询码。/ Keep the code: it opens the ticket.",
    )
