"""`chorus department`: who is in the directory, one more, one less; where Kafka has users, also who may use it."""

from typing import Annotated, Any

import typer

from deploy.cli import kafka_login
from deploy.cli.cluster.provision import asked
from deploy.cli.console import USAGE, Failure, ask, emit, say, stack
from deploy.cli.tables import show_table
from deploy.kafka_admin import provisioning
from deploy.security.passwords import department_user
from shared.contracts.ids import DEPARTMENT_CODE

department = typer.Typer(help="The city's departments.", no_args_is_help=True)


@department.command("list")
def list_departments() -> None:
    """Every department, retired ones included."""
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
    code: Annotated[str, typer.Argument(help="Like water-supply.")],
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    parent: Annotated[str | None, typer.Option(metavar="CODE", help="The department above it.")] = None,
    email: Annotated[str | None, typer.Option(help="Where it is told of new parts.")] = None,
    phone: Annotated[
        list[str] | None, typer.Option(help="A telephone number that it publishes; once for each. The hall shows it.")
    ] = None,
) -> None:
    """Add a department while everything runs; one that is there is updated, one that is retired comes back."""
    _refuse_wrong(code)
    before = next((one for one in _directory() if one["code"] == code), {})
    kept = {name: before[name] for name in ("kind", "areas", "parent", "email", "phones") if before.get(name)}
    given = {"parent": parent, "email": email, "phones": phone}
    body: dict[str, Any] = kept | {name: value for name, value in given.items() if value is not None}
    body["name"] = {"zh": name_zh, "en": name_en}
    revised = ask("PUT", f"{stack().urls.router}/departments/{code}", operator=True, json=body).json()
    say(f"{code} is {'updated' if before else 'in the directory'}, revision {revised['revision']}.")
    if not before:
        say(
            f"It reads departments.{code}.inbox and writes departments.{code}.outbox: try `chorus inbox {code} follow`."
        )
    told = {"code": code, "added": not before} | revised
    if kafka_login.has_users():
        told["password_file"] = _let_in(code)
    emit(told)


@department.command()
def retire(
    code: Annotated[str, typer.Argument(help="Like water-supply.")],
    reason: Annotated[str, typer.Option(help="Why; its inbox says it with each part that is taken back.")],
) -> None:
    """Take a department out of work: it is cut off from Kafka, and what is open there goes to triage. Safe to repeat."""
    _refuse_wrong(code)
    is_cut_off = _cut_off(code) if kafka_login.has_users() else None
    try:
        url = f"{stack().urls.router}/departments/{code}/retirement"
        done = ask("POST", url, operator=True, json={"reason": reason}).json()
    except Failure:
        if is_cut_off:
            say(f"{code} is cut off from Kafka; the directory does not know that it is retired: do it again.")
        raise
    say(
        f"{code} is retired, revision {done['revision']}; parts that go to triage: {done['parts']} (`chorus triage list`)."
    )
    emit({"code": code, "cut_off": is_cut_off} | done)


def _refuse_wrong(code: str) -> None:
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(USAGE, f"{code!r} is no department code: write 2 to 31 of a-z, 0-9 and -, a letter first.")


def _let_in(code: str) -> str | None:
    """Make its user; returns the file with the password, None where passwords are kept elsewhere."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("Kafka does not let it in yet: run `chorus provision` where CHORUS_KAFKA_USERS is.")
        return None
    kafka = kafka_login.admin()
    asked(kafka, provisioning.let_in(kafka, code, passwords))
    file = passwords.file(department_user(code))
    say(f"Kafka lets it in as {department_user(code)}; its password is in {file}.")
    return str(file)


def _cut_off(code: str) -> bool:
    """Take its rights, then its password; whether that could be done here."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("Kafka still lets it in: run `chorus provision` where CHORUS_KAFKA_USERS is, as soon as it is retired.")
        return False
    kafka = kafka_login.admin()
    asked(kafka, provisioning.cut_off(kafka, code, passwords))
    return True


def _directory() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", f"{stack().urls.router}/departments", operator=True).json()
    return found


def _state(one: dict[str, Any]) -> str:
    return "retired" if one.get("retired") else ""
