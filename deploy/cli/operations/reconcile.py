"""`chorus reconcile`: compares accepted entries, decisions and views, and publishes missing messages again."""

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
from deploy.cli.console import FAILED, UNAVAILABLE, Failure, ask, emit, say, stack
from deploy.cli.operations import dead_letters
from shared.kafka import topics

PAGE = 1_000
WAIT_S = 10
PATIENCE_S = 60.0
LEDGERS = ("intake", "router")
"""The services that keep a ledger."""
VIEWS = {topics.RESIDENTS: "intake", topics.EVENTS: "scorer"}
"""For each topic of the core, the service whose database must contain all its messages."""
KINDS = {
    "unpublished": "accepted, not published",
    "undecided": "published, not decided",
    "unseen": "decided, not received",
}


@dataclass(frozen=True, order=True)
class Finding:
    """Entry `n` in the ledger of `service` that is not published or not decided, or decision `n` with a message that
    `service` has not received. Findings sort in the order in which they must be repaired."""

    inquiry_id: str
    n: int
    kind: str
    service: str
    event_id: str | None = None

    @property
    def repair_url(self) -> str:
        """POST to this URL publishes the messages again with the same ids, so receivers recognise repeats."""
        if self.kind == "unseen":
            return f"{stack().urls.router}/decisions/{self.inquiry_id}/{self.n}/publish"
        return f"{_url(self.service)}/ledger/{quote(str(self.event_id), safe='')}/publish"

    def __str__(self) -> str:
        what = (
            f"decision {self.n}, missing in {self.service}"
            if self.kind == "unseen"
            else f"event {self.event_id} of {self.service}"
        )
        return f"{self.inquiry_id}  {KINDS[self.kind]}: {what}"


@dataclass
class Comparison:
    """One comparison of ledgers, decisions and views: the number of entries and decisions read, and the findings."""

    entries: int = 0
    decisions: int = 0
    findings: set[Finding] = field(default_factory=set)
    _dead_letters: dict[tuple[str, str], str] = field(default_factory=dict)
    """The status of each dead letter, by its reader and event id."""
    _unchecked: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    """For each topic, the ids of published messages that the view was not asked for yet, with inquiry and decision."""

    def run(self) -> set[Finding]:
        """Compare inquiry by inquiry; returns the findings."""
        for letter in dead_letters.letters({}):
            reader = "core" if letter["topic"] == topics.INPUTS else letter["service"]
            self._dead_letters[reader, letter["event_id"]] = letter["status"]
        rows = heapq.merge(*map(_ledger, LEDGERS), _decisions(), key=_inquiry)
        for inquiry_id, some in groupby(rows, key=_inquiry):
            self._check_inquiry(inquiry_id, list(some))
        for topic in VIEWS:
            self._check_view(topic)
        return self.findings

    def _check_inquiry(self, inquiry_id: str, rows: list[dict[str, Any]]) -> None:
        decisions = [row for row in rows if "cause" in row]
        entries = [row for row in rows if "cause" not in row]
        self.entries, self.decisions = self.entries + len(entries), self.decisions + len(decisions)
        causes = {row["cause"] for row in decisions}
        for row in entries:
            known = row["event_id"] in causes or ("core", row["event_id"]) in self._dead_letters
            kind = "undecided" if row["published"] else "unpublished"
            # An erased entry has no content left to publish.
            if not known and not row.get("erased") and (row["published"] or row["overdue"]):
                self.findings.add(Finding(inquiry_id, row["n"], kind, row["service"], row["event_id"]))
        for row in decisions:
            waits_for_replay = self._dead_letters.get(("core", row["cause"])) == "open"
            for message in row["messages"]:
                if message["topic"] in VIEWS and not waits_for_replay:
                    self._add_message(message["topic"], message["id"], (inquiry_id, row["n"]))

    def _add_message(self, topic: str, id_: str, decision: tuple[str, int]) -> None:
        messages = self._unchecked.setdefault(topic, {})
        messages[id_] = decision
        if len(messages) == PAGE:
            self._check_view(topic)

    def _check_view(self, topic: str) -> None:
        messages, view = self._unchecked.pop(topic, {}), VIEWS[topic]
        if not messages:
            return
        answer = ask("POST", f"{_url(view)}/missing", operator=True, json={"ids": list(messages)}).json()
        for id_ in answer["missing"]:
            if (view, id_) not in self._dead_letters:
                inquiry_id, n = messages[id_]
                self.findings.add(Finding(inquiry_id, n, "unseen", view))


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is missing, and the repair.")] = False,
) -> None:
    """Find messages that were accepted but not published, not decided or not received, and publish them again.

    Exit code 0 when nothing is missing or everything was repaired.
    """
    comparison = Comparison()
    missing = still_missing(comparison.run())
    for one in sorted(missing):
        say(f"{one}" + (f"; repair: POST {one.repair_url}" if dry_run else ""))
    left = missing if dry_run else repair(missing)
    counts = Counter(one.kind for one in missing)
    found = ", ".join(f"{counts[kind]} {words}" for kind, words in KINDS.items() if counts[kind])
    say(f"{comparison.entries} entries, {comparison.decisions} decisions: {found or 'nothing is missing'}.")
    if missing and not dry_run:
        say(f"{len(missing) - len(left)} of {len(missing)} repaired.")
    emit(
        {
            "dry_run": dry_run,
            "entries": comparison.entries,
            "decisions": comparison.decisions,
            **{kind: counts[kind] for kind in KINDS},
            "mended": len(missing) - len(left),
            "left": len(left),
            "missing": [asdict(one) for one in sorted(missing)],
        }
    )
    raise typer.Exit(FAILED if left else 0)


def still_missing(candidates: set[Finding]) -> set[Finding]:
    """Compare again after all services have read their topics to the end; returns the findings that remain."""
    if not candidates:
        return set()
    say(f"{len(candidates)} messages may still be in transit: waiting until all services have read their topics.")
    _wait_for_consumers(len(candidates))
    return candidates & Comparison().run()


def repair(missing: set[Finding]) -> set[Finding]:
    """Publish missing messages again, in the order of each inquiry; returns the findings that remain."""
    for url in dict.fromkeys(one.repair_url for one in sorted(missing)):
        ask("POST", url, operator=True)
    return still_missing(missing)


def _wait_for_consumers(count: int) -> None:
    """Wait for the core first, because views read what it publishes. Raises Failure 3 after PATIENCE_S."""
    for service in dict.fromkeys(("router", *VIEWS.values())):
        until = time.monotonic() + PATIENCE_S
        while left := ask("GET", f"{_url(service)}/behind", operator=True, params={"wait_s": WAIT_S}).json()["behind"]:
            lag = ", ".join(f"{number} of {topic}" for topic, number in left.items())
            if time.monotonic() > until:
                raise Failure(
                    UNAVAILABLE,
                    f"The {service} has a consumer lag ({lag}), so {count} messages cannot be checked: see "
                    "`chorus status`, and run this again when the lag is 0.",
                )
            say(f"The {service} still reads: {lag}.")


# ── what is compared ─────────────────────────────────────────────────────────


def _ledger(service: str) -> Iterator[dict[str, Any]]:
    return ({**row, "service": service} for row in desk_client.pages(f"{_url(service)}/ledger", "entries", {}))


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
