"""What waits in the running system: cases in triage, dead letters, consumer lag, unsent mails. Asked of the services."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from deploy.cli.console import Failure, ask
from deploy.cli.operations.triage import age
from deploy.local.stack_file import StackFile

ASK_S = 5.0
SERVICES = ("intake", "router", "notifier", "scorer")


@dataclass(frozen=True)
class Waiting:
    """One kind of waiting work: `figures` for JSON, and its line in words. Without figures, `words` says why."""

    name: str
    figures: Mapping[str, Any] | None
    words: str

    def __str__(self) -> str:
        return f"{self.name:12}  {self.words}"


def look(running: StackFile) -> list[Waiting]:
    """Ask all services at the same time; one that does not answer leaves only its own figures unknown."""
    urls = running.urls
    questions: list[tuple[str, Callable[[], Waiting]]] = [
        ("triage", lambda: _triage(urls.router)),
        ("dead letters", lambda: _dead_letters(urls.router)),
        ("lag", lambda: _lag(urls.model_dump())),
        ("mail", lambda: _mail(urls.notifier)),
    ]
    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(lambda one: _answer(*one), questions))


def _answer(name: str, question: Callable[[], Waiting]) -> Waiting:
    try:
        return question()
    except Failure as failure:
        return Waiting(name, None, f"unknown: {failure.sentence}")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Waiting(name, None, "unknown: the service gave an answer that this command does not understand")


def _get(url: str, **query: Any) -> Any:
    return ask("GET", url, operator=True, timeout_s=ASK_S, params=query).json()


def _triage(router: str) -> Waiting:
    found = _get(f"{router}/triage", limit=1)
    count, oldest = int(found["waiting"]), next(iter(found["inquiries"]), None)
    figures = {
        "waiting": count,
        "oldest": oldest["inquiry_id"] if oldest else None,
        "oldest_age_s": int(oldest["age_s"]) if oldest else None,
    }
    since = f"; the oldest is {oldest['inquiry_id']}, {age(int(oldest['age_s']))} old" if oldest else ""
    return Waiting("triage", figures, f"{count} waiting{since}")


def _dead_letters(router: str) -> Waiting:
    found = _get(f"{router}/dead-letters", limit=1)
    count, unread = int(found["open"]), int(found["unread"])
    more = f", {unread} not read yet" if unread else ""
    return Waiting("dead letters", {"open": count, "unread": unread}, f"{count} open{more}")


def _lag(urls: Mapping[str, str]) -> Waiting:
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        found = dict(
            zip(SERVICES, pool.map(lambda name: dict(_get(f"{urls[name]}/behind")["behind"]), SERVICES), strict=True)
        )
    words = [f"{name} {count} in {topic}" for name, lag in found.items() for topic, count in lag.items()]
    return Waiting("lag", found, ", ".join(words) or "none")


def _mail(notifier: str) -> Waiting:
    found = _get(f"{notifier}/deliveries/counts")
    unsent, failed = int(found["unsent"]), int(found["failed"])
    return Waiting("mail", {"unsent": unsent, "failed": failed}, f"{unsent} unsent, {failed} failed")
