"""The options of `chorus case list`."""

from typing import Annotated

import typer

State = Annotated[
    list[str] | None, typer.Option(help="Only cases in this state, for example triage or answered; repeatable.")
]
CaseDepartment = Annotated[
    str | None, typer.Option(metavar="CODE", help="Only cases in which this department has a part.")
]
Words = Annotated[
    str | None, typer.Option(metavar="WORDS", help="Only cases whose texts have these words, or a ticket number.")
]
Due = Annotated[
    str | None,
    typer.Option(metavar="overdue|soon", help="Only cases with a part that is overdue, or due within 24 hours."),
]
Lead = Annotated[str | None, typer.Option(metavar="CODE", help="Only cases that this department leads.")]
PartState = Annotated[
    str | None, typer.Option(metavar="STATE", help="Only cases with a part in this state, for example offered.")
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only messages received from this date or time on.")]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only messages received up to this date, or before this time.")
]
Open = Annotated[
    bool, typer.Option("--open", help="Only cases with an open part, answered ones with a late part included.")
]
Reported = Annotated[bool, typer.Option("--reported", help="Only cases whose entry in the hall a reader has reported.")]
