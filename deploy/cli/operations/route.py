"""`chorus route`: which rule of the city would assign a message to whom, and why near rules would not."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from deploy.cli.console import ask, emit, say, stack
from deploy.cli.tables import show_table

SEEN = {"subject": "the subject", "message": "subject and message together"}


def route(
    subject: Annotated[str, typer.Option(help="The subject line.")],
    body: Annotated[str, typer.Option(help="The message.")] = "",
    area: Annotated[str | None, typer.Option(help="The area, as a resident would write it.")] = None,
    channel: Annotated[str, typer.Option(help="How the message would come in.")] = "web",
) -> None:
    """Show which rule would assign a message, and why. Changes nothing."""
    asked = {"subject": subject, "body": body, "area": area, "channel": channel}
    found = ask("POST", f"{stack().urls.router}/route", operator=True, json=asked).json()
    say(*lines(found))
    if found["near"]:
        say("", "Near rules that do not assign it:")
        show_table(
            ("rule", "departments", "matching terms", "why not"),
            ((one["rule"], one["departments"], one["terms"], one["why_not"]) for one in found["near"]),
        )
    emit(found)


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    if found["triage"]:
        yield f"No rule matches: the message would go to triage (revision {found['revision']})."
        needed = found["words_needed"]
        yield f"A message of this length needs {needed} matching term{'' if needed == 1 else 's'} of one rule."
        return
    others = f", with {', '.join(found['co_handlers'])}" if found["co_handlers"] else ""
    yield f"Rule {found['rule']} would assign {found['lead']}{others} (revision {found['revision']})."
    terms = ", ".join(f"“{one}”" for one in found["terms"]) or "no terms: the rule has none"
    yield f"It matches {SEEN[found['matched']]}: {terms}."
    yield f"{found['why']['zh']} / {found['why']['en']}"
