"""Residents as the demo plays them: they write in by every way there is, look what became of it, and rate."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from deploy.cli.demo.account import DemoCase
from deploy.cli.importing.headers import FIELDS
from deploy.cli.importing.import_file import understanding
from deploy.cli.importing.rows import look
from deploy.cli.importing.sending import Sender, Settled, Tally, send_all

TICKET = re.compile(r"\b\d{8}-[0-9A-HJKMNP-TV-Z]{8}\b")
CODE_IN_ADDRESS = re.compile(r"[?&]code=([0-9A-HJKMNP-TV-Z]{12})")
CODE = re.compile(r"(?<![0-9A-Za-z-])[0-9A-HJKMNP-TV-Z]{12}(?![0-9A-Za-z-])")


@dataclass
class Residents:
    """Everybody who writes in; `intake` and `operator` are clients of intake, the second with the operator's token."""

    intake: httpx.AsyncClient
    operator: Sender

    async def write(self, case: DemoCase) -> None:
        """By the form or as a program; raises httpx.HTTPError when intake does not take it."""
        if case.letter.way == "form" and (form := await self._form(case.letter.language)) is not None:
            await self._fill(form, case)
            return
        answer = await self.intake.post("/inquiries", json=case.letter.document(), headers=_key(case))
        taken(case, answer.raise_for_status().json())

    async def write_file(self, cases: Sequence[DemoCase], tally: Tally) -> None:
        """All these letters as one CSV file through the code of `chorus import`."""
        by_mark = {case.letter.subject + case.letter.body: case for case in cases}

        def told(settled: Settled) -> None:
            if settled.outcome != "rejected":
                cells = settled.row.cells
                taken(by_mark[cells["subject"] + cells["body"]], settled.answer)

        with TemporaryDirectory(prefix="chorus-demo-") as folder:
            file = Path(folder) / "hotline-export.csv"
            write_csv(file, cases)
            with look(file).rows() as (rows, _):
                await send_all(rows, understanding({}, "import"), self.operator, tally, told)

    async def look(self, case: DemoCase) -> None:
        """Open the ticket by its code."""
        answer = await self.intake.get(f"/inquiries/{case.inquiry_id}", headers=_opening(case))
        if answer.is_success:
            case.seen = answer.json()

    async def rate(self, case: DemoCase) -> bool:
        """Say whether it helped; whether intake took it."""
        rating = case.letter.rating
        words = {"zh": "谢谢！", "en": "Thank you!"}[case.letter.language] if rating == "yes" else None
        body = {"round": case.seen.get("round", 1), "solved": rating != "no", "satisfied": rating, "words": words}
        url = f"/inquiries/{case.inquiry_id}/rating"
        return (await self.intake.post(url, json=body, headers=_opening(case))).is_success

    async def _form(self, language: str) -> "Form | None":
        page = await self.intake.get("/", params={"lang": language}, headers={"Accept": "text/html"})
        if not page.is_success:
            return None
        form = Form()
        form.feed(page.text)
        return form if {"subject", "body"} <= form.fields.keys() else None

    async def _fill(self, form: "Form", case: DemoCase) -> None:
        letter = case.letter
        known = {"subject": letter.subject, "body": letter.body, "name": letter.name, "email": letter.email or ""}
        known |= {"area": letter.area or "", "language": letter.language}
        fields = {name: known.get(name.rpartition(".")[2], value) for name, value in form.fields.items()}
        if letter.public and form.public:
            fields[form.public] = form.public_value
        headers = {"Accept": "text/html", "Accept-Language": letter.language, "Origin": str(self.intake.base_url)}
        page = await self.intake.post(form.action, data=fields, headers=headers)
        if page.is_redirect:
            page = await self.intake.get(page.headers["location"], headers=headers)
        page.raise_for_status()
        taken(case, ticket_on(page))


def taken(case: DemoCase, receipt: Mapping[str, Any]) -> None:
    """Keep the ticket; the same one again is the same ticket."""
    if receipt["inquiry_id"] not in case.inquiry_ids:
        case.inquiry_ids.append(receipt["inquiry_id"])
    case.code = receipt["query_code"]


def ticket_on(page: httpx.Response) -> dict[str, str]:
    """Ticket number and code as a page shows them to a person; raises ValueError when it shows none."""
    text = f"{page.url} {page.text}"
    number, code = TICKET.search(text), CODE_IN_ADDRESS.search(text) or CODE.search(page.text)
    if number is None or code is None:
        raise ValueError("the page that follows the form shows no ticket")
    return {"inquiry_id": number[0], "query_code": code[code.re.groups]}


def write_csv(file: Path, cases: Sequence[DemoCase]) -> None:
    """As another system would export it."""
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, FIELDS, restval="")
        table.writeheader()
        for case in cases:
            letter = case.letter.document()
            contact = {f"contact.{name}": value for name, value in letter.pop("contact").items()}
            table.writerow({name: "" if value is None else value for name, value in (letter | contact).items()})


def _key(case: DemoCase) -> dict[str, str]:
    return {"Idempotency-Key": f"demo-{case.letter.mark}"}


def _opening(case: DemoCase) -> dict[str, str]:
    return {"X-Query-Code": case.code or "", "Accept": "application/json"}


class Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with the values they have."""

    def __init__(self) -> None:
        super().__init__()
        self.action = "/"
        self.fields: dict[str, str] = {}
        self.public: str | None = None
        self.public_value = "true"
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form's post address and its inputs."""
        given = dict(attrs)
        name = given.get("name")
        if tag == "form" and (given.get("method") or "").lower() == "post" and not self.fields:
            self._inside, self.action = True, given.get("action") or "/"
        elif self._inside and name and tag in ("input", "textarea", "select"):
            if given.get("type") == "checkbox":
                if name == "public":
                    self.public, self.public_value = name, given.get("value") or "on"
            else:
                self.fields[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """A form ends."""
        if tag == "form":
            self._inside = False
