"""The demo's residents: they send messages by form, API and import file, read the status of their ticket, and rate."""

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
WORDS: Mapping[str, Mapping[str, str]] = {
    "yes": {"zh": "谢谢！", "en": "Thank you!"},
    "no": {"zh": "问题还没有解决，请再来看看。", "en": "The problem is not solved; please look at it again."},
}
"""What a resident writes with a rating."""
CODE = re.compile(r"(?<![0-9A-Za-z-])[0-9A-HJKMNP-TV-Z]{12}(?![0-9A-Za-z-])")


@dataclass
class Residents:
    """All residents; `intake` and `operator` are clients of intake, the second with the operator's token."""

    intake: httpx.AsyncClient
    operator: Sender

    async def write(self, case: DemoCase) -> None:
        """Send the message by form or API; raises httpx.HTTPError when intake does not accept it."""
        if case.message.way == "form" and (form := await self._form(case.message.language)) is not None:
            await self._fill(form, case)
            return
        headers = {"Idempotency-Key": case.key}
        answer = await self.intake.post("/inquiries", json=case.message.document(), headers=headers)
        keep_ticket(case, answer.raise_for_status().json())

    async def write_file(self, cases: Sequence[DemoCase], tally: Tally) -> None:
        """Write these messages to a CSV file and send it with the code of `chorus import`."""
        by_text = {case.message.subject + case.message.body: case for case in cases}

        def accepted(settled: Settled) -> None:
            if settled.outcome != "rejected":
                cells = settled.row.cells
                keep_ticket(by_text[cells["subject"] + cells["body"]], settled.answer)

        with TemporaryDirectory(prefix="chorus-demo-") as folder:
            file = Path(folder) / "hotline-export.csv"
            write_csv(file, cases)
            with look(file).rows() as (rows, _):
                await send_all(rows, understanding({}, "import"), self.operator, tally, accepted)

    async def look(self, case: DemoCase) -> None:
        """Get the status of the ticket with its query code."""
        answer = await self.intake.get(f"/inquiries/{case.inquiry_id}", headers=_opening(case))
        if answer.is_success:
            case.seen = answer.json()

    async def confirm(self, url: str) -> bool:
        """Press the button of the page that confirms a mail address; returns whether the notifier accepted it."""
        return (await self.intake.post(url)).is_success

    async def rate(self, case: DemoCase) -> bool:
        """Send the rating of the round; returns whether intake accepted it. The answer to a reopened message contents all."""
        rating = case.message.rating if case.round == 1 else "yes"
        words = WORDS.get(rating or "", {}).get(case.message.language)
        body = {"round": case.round, "solved": rating != "no", "satisfied": rating, "words": words}
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
        message = case.message
        known = {"subject": message.subject, "body": message.body, "name": message.name, "email": message.email or ""}
        known |= {"area": message.area or "", "language": message.language}
        fields = {name: known.get(name.rpartition(".")[2], value) for name, value in form.fields.items()}
        if message.public and form.public:
            fields[form.public] = form.public_value
        headers = {"Accept": "text/html", "Accept-Language": message.language, "Origin": str(self.intake.base_url)}
        page = await self.intake.post(form.action, data=fields, headers=headers)
        if page.is_redirect:
            page = await self.intake.get(page.headers["location"], headers=headers)
        page.raise_for_status()
        keep_ticket(case, ticket_on(page))


def keep_ticket(case: DemoCase, receipt: Mapping[str, Any]) -> None:
    """Add the ticket to the case, unless the case has it already."""
    if receipt["inquiry_id"] not in case.inquiry_ids:
        case.inquiry_ids.append(receipt["inquiry_id"])
    case.code = receipt["query_code"]


def ticket_on(page: httpx.Response) -> dict[str, str]:
    """The ticket number and query code on a page; raises ValueError when the page has none."""
    text = f"{page.url} {page.text}"
    number, code = TICKET.search(text), CODE_IN_ADDRESS.search(text) or CODE.search(page.text)
    if number is None or code is None:
        raise ValueError("the page that follows the form shows no ticket")
    return {"inquiry_id": number[0], "query_code": code[code.re.groups]}


def write_csv(file: Path, cases: Sequence[DemoCase]) -> None:
    """Write the messages as a CSV file with the columns of `chorus import`."""
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, FIELDS, restval="")
        table.writeheader()
        for case in cases:
            message = case.message.document()
            contact = {f"contact.{name}": value for name, value in message.pop("contact").items()}
            table.writerow({name: "" if value is None else value for name, value in (message | contact).items()})


def _opening(case: DemoCase) -> dict[str, str]:
    return {"X-Query-Code": case.code or "", "Accept": "application/json"}


class Form(HTMLParser):
    """Parses the first POST form of a page: its action, and its fields with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.action = "/"
        self.fields: dict[str, str] = {}
        self.public: str | None = None
        self.public_value = "true"
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
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
        if tag == "form":
            self._inside = False
