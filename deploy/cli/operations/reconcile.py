"""`chorus reconcile`: compares what doors accepted, the core decided and views have seen, and mends what is missing."""

import heapq
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli import desk_client
from deploy.cli.console import AWAY, FAILED, Failure, ask, emit, say, stack
from deploy.cli.operations import dead_letters
from shared.kafka import topics

PAGE = 1_000
WAIT_S = 10
PATIENCE_S = 60.0
DOORS = ("intake", "router")
VIEWS = {topics.RESIDENTS: "intake", topics.EVENTS: "scorer"}
KINDS = {
    "unpublished": "accepted, but never published",
    "undecided": "published, but never decided",
    "unseen": "decided, but never seen",
}


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not where it should be by now: the entry n of the ledger of `service`, by its event id, or the
    decision n of which `service` has not seen a message. Sorted, they are in the order of each inquiry."""

    inquiry_id: str
    n: int
    kind: str
    service: str
    event_id: str | None = None

    @property
    def repair(self) -> str:
        """Where it is published again, under the ids that it has: what had come through after all is recognised."""
        if self.kind == "unseen":
            return f"{stack().urls.router}/decisions/{self.inquiry_id}/{self.n}/publish"
        return f"{_url(self.service)}/ledger/{quote(str(self.event_id), safe='')}/publish"

    def __str__(self) -> str:
        what = f"decision {self.n}, by {self.service}" if self.kind == "unseen" else f"{self.service}'s {self.event_id}"
        return f"{self.inquiry_id}  {KINDS[self.kind]}: {what}"


@dataclass
class Books:
    """One reading of all books: how much stood in them, and what does not fit."""

    entries: int = 0
    decisions: int = 0
    findings: set[Finding] = field(default_factory=set)
    _put_aside: dict[tuple[str, str], str] = field(default_factory=dict)
    _said: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)

    def read(self) -> set[Finding]:
        """Read them, inquiry by inquiry, and return what does not fit."""
        for letter in dead_letters.letters({}):
            reader = "core" if letter["topic"] == topics.INPUTS else letter["service"]
            self._put_aside[reader, letter["event_id"]] = letter["status"]
        rows = heapq.merge(*map(_ledger, DOORS), _decisions(), key=_inquiry)
        for inquiry_id, some in groupby(rows, key=_inquiry):
            self._look_at(inquiry_id, list(some))
        for topic in VIEWS:
            self._ask_view(topic)
        return self.findings

    def _look_at(self, inquiry_id: str, rows: list[dict[str, Any]]) -> None:
        decisions = [row for row in rows if "cause" in row]
        entries = [row for row in rows if "cause" not in row]
        self.entries, self.decisions = self.entries + len(entries), self.decisions + len(decisions)
        causes = {row["cause"] for row in decisions}
        for row in entries:
            known = row["event_id"] in causes or ("core", row["event_id"]) in self._put_aside
            kind = "undecided" if row["published"] else "unpublished"
            # An erased entry cannot be published again, so nobody could mend it.
            if not known and not row.get("erased") and (row["published"] or row["overdue"]):
                self.findings.add(Finding(inquiry_id, row["n"], kind, row["door"], row["event_id"]))
        for row in decisions:
            waits_for_replay = self._put_aside.get(("core", row["cause"])) == "open"
            for message in row["messages"]:
                if message["topic"] in VIEWS and not waits_for_replay:
                    self._note(message["topic"], message["id"], (inquiry_id, row["n"]))

    def _note(self, topic: str, id_: str, place: tuple[str, int]) -> None:
        said = self._said.setdefault(topic, {})
        said[id_] = place
        if len(said) == PAGE:
            self._ask_view(topic)

    def _ask_view(self, topic: str) -> None:
        said, view = self._said.pop(topic, {}), VIEWS[topic]
        if not said:
            return
        answer = ask("POST", f"{_url(view)}/missing", operator=True, json={"ids": list(said)}).json()
        for id_ in answer["missing"]:
            if (view, id_) not in self._put_aside:
                inquiry_id, n = said[id_]
                self.findings.add(Finding(inquiry_id, n, "unseen", view))


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing and would be done.")] = False,
) -> None:
    """Find what was accepted and never published, published and never decided, decided and never seen; publish it again.

    Exit code 0 when nothing is missing, or all of it was mended.
    """
    books = Books()
    missing = lasting(books.read())
    for one in sorted(missing):
        say(f"{one}" + (f"; would be mended by POST {one.repair}" if dry_run else ""))
    left = missing if dry_run else mended(missing)
    counts = Counter(one.kind for one in missing)
    found = ", ".join(f"{counts[kind]} {words}" for kind, words in KINDS.items() if counts[kind])
    say(f"{books.entries} entries, {books.decisions} decisions: {found or 'nothing is missing'}.")
    if missing and not dry_run:
        say(f"{len(missing) - len(left)} of {len(missing)} mended.")
    emit(
        {
            "dry_run": dry_run,
            "entries": books.entries,
            "decisions": books.decisions,
            **{kind: counts[kind] for kind in KINDS},
            "mended": len(missing) - len(left),
            "left": len(left),
            "missing": [asdict(one) for one in sorted(missing)],
        }
    )
    raise typer.Exit(FAILED if left else 0)


def lasting(suspects: set[Finding]) -> set[Finding]:
    """Those that were not merely under way: still missing when everybody has read what lay before them by now."""
    if not suspects:
        return set()
    say(f"{len(suspects)} may still be under way; waiting until everybody has read what lies before them.")
    _until_all_is_read(len(suspects))
    return suspects & Books().read()


def mended(missing: set[Finding]) -> set[Finding]:
    """Publish what is missing again, in the order of each inquiry; returns what is missing all the same."""
    for url in dict.fromkeys(one.repair for one in sorted(missing)):
        ask("POST", url, operator=True)
    return lasting(missing)


def _until_all_is_read(count: int) -> None:
    """The core first: only what it has confirmed can be seen by the views. Raises Failure 3 when it takes too long."""
    for service in dict.fromkeys(("router", *VIEWS.values())):
        until = time.monotonic() + PATIENCE_S
        while left := ask("GET", f"{_url(service)}/behind", operator=True, params={"wait_s": WAIT_S}).json()["behind"]:
            told = ", ".join(f"{number} of {topic}" for topic, number in left.items())
            if time.monotonic() > until:
                raise Failure(
                    AWAY,
                    f"The {service} has not read all yet ({told}), so nothing can be said of {count} messages: look at "
                    "`chorus status`, and run this again when it has caught up.",
                )
            say(f"The {service} reads on: {told}.")


# ── the books ────────────────────────────────────────────────────────────────


def _ledger(door: str) -> Iterator[dict[str, Any]]:
    return ({**row, "door": door} for row in desk_client.pages(f"{_url(door)}/ledger", "entries", {}))


def _decisions() -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        asked: dict[str, str | int] = {"after": after, "limit": PAGE}
        lines = ask("GET", f"{stack().urls.router}/decisions", operator=True, params=asked).text.split("\n")
        rows = [json.loads(line) for line in lines if line]
        yield from rows
        if len(rows) < PAGE:
            return
        after = f"{rows[-1]['inquiry_id']}/{rows[-1]['n']}"


def _inquiry(row: Mapping[str, Any]) -> str:
    return str(row["inquiry_id"])


def _url(service: str) -> str:
    return str(getattr(stack().urls, service))
