"""`chorus department`: lists, adds and retires departments, together with their Kafka users."""

from typing import Annotated, Any

import typer

from deploy.cli import kafka_login
from deploy.cli.cluster.provision import run_on_kafka
from deploy.cli.console import USAGE, Failure, ask, emit, say, stack
from deploy.cli.person import By, person
from deploy.cli.tables import show_table
from deploy.kafka_admin import provisioning
from deploy.security.passwords import department_user
from shared.contracts.ids import DEPARTMENT_CODE

department = typer.Typer(help="The city's departments.", no_args_is_help=True)


@department.command("list")
def list_departments() -> None:
    """List all departments, including retired ones."""
    found = _directory()
    show_table(
        ("code", "中文", "English", "kind", "parent", "e-mail", ""),
        (
            (one["code"], one["name"]["zh"], one["name"]["en"], one["kind"], one["parent"], one["email"], _state(one))
            for one in found
        ),
    )
    emit(found)


@department.command()
def add(
    code: Annotated[str, typer.Argument(help="The department's code, for example water-supply.")],
    name_zh: Annotated[str, typer.Option(help="The department's name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="The department's name in English.")],
    parent: Annotated[str | None, typer.Option(metavar="CODE", help="The parent department.")] = None,
    email: Annotated[str | None, typer.Option(help="The address for notices about new parts.")] = None,
    phone: Annotated[
        list[str] | None,
        typer.Option(help="A telephone number that the department publishes; repeat for more. The hall shows it."),
    ] = None,
) -> None:
    """Add a department without a restart. Updates an existing department, reactivates a retired one."""
    _refuse_wrong(code)
    before = next((one for one in _directory() if one["code"] == code), {})
    kept = {name: before[name] for name in ("kind", "areas", "parent", "email", "phones") if before.get(name)}
    given = {"parent": parent, "email": email, "phones": phone}
    body: dict[str, Any] = kept | {name: value for name, value in given.items() if value is not None}
    body["name"] = {"zh": name_zh, "en": name_en}
    revised = ask("PUT", f"{stack().urls.router}/departments/{code}", operator=True, json=body).json()
    say(f"{'Updated' if before else 'Added'} {code}, revision {revised['revision']}.")
    if not before:
        say(f"Its topics are departments.{code}.inbox and departments.{code}.outbox: try `chorus inbox {code} follow`.")
    document = {"code": code, "added": not before} | revised
    if kafka_login.has_users():
        document["password_file"] = _grant_access(code)
    emit(document)


@department.command()
def retire(
    code: Annotated[str, typer.Argument(help="The department's code, for example water-supply.")],
    reason: Annotated[str, typer.Option(help="The reason, sent to its inbox with each withdrawn part.")],
    by: By = None,
) -> None:
    """Retire a department: revoke its access to Kafka and move its open parts to triage. Safe to repeat."""
    _refuse_wrong(code)
    who = person(by)
    revoked = _revoke_access(code) if kafka_login.has_users() else None
    try:
        url = f"{stack().urls.router}/departments/{code}/retirement"
        done = ask("POST", url, operator=True, json={"reason": reason, "by": who}).json()
    except Failure:
        if revoked:
            say(f"Kafka access of {code} is revoked, but the directory is not updated: run the command again.")
        raise
    say(f"Retired {code}, revision {done['revision']}; {done['parts']} parts go to triage (`chorus triage list`).")
    emit({"code": code, "cut_off": revoked} | done)


def _refuse_wrong(code: str) -> None:
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(
            USAGE, f"{code!r} is not a department code: use 2 to 31 of a-z, 0-9 and -, beginning with a letter."
        )


def _grant_access(code: str) -> str | None:
    """Create the department's Kafka user; returns its password file, or None without a folder of passwords."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("The department has no Kafka user yet: run `chorus provision` where CHORUS_KAFKA_USERS is set.")
        return None
    kafka = kafka_login.admin()
    run_on_kafka(kafka, provisioning.grant_access(kafka, code, passwords))
    file = passwords.file(department_user(code))
    say(f"Created the Kafka user {department_user(code)}; its password is in {file}.")
    return str(file)


def _revoke_access(code: str) -> bool:
    """Revoke the department's ACLs and password; returns False without a folder of passwords."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("The department still has access to Kafka: run `chorus provision` where CHORUS_KAFKA_USERS is set.")
        return False
    kafka = kafka_login.admin()
    run_on_kafka(kafka, provisioning.revoke_access(kafka, code, passwords))
    return True


def _directory() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", f"{stack().urls.router}/departments", operator=True).json()
    return found


def _state(one: dict[str, Any]) -> str:
    return "retired" if one.get("retired") else ""
