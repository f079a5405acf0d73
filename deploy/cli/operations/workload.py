"""What waits in the running system: cases in triage, dead letters, consumer lag, unsent mails. Asked of the services."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.cli.console import Failure, ask
from deploy.cli.operations.triage import age
from deploy.local.stack_file import StackFile

ASK_S = 5.0
SERVICES = ("intake", "router", "notifier", "scorer")
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Waiting:
    """One kind of waiting work of a service: `figures` for JSON, and words for its line.

    Without figures, `unknown` says why; `words` is empty when there is nothing to say.
    """

    name: str
    service: str
    figures: Figures | None
    words: str
    unknown: str = ""


def look(running: StackFile, answering: Collection[str]) -> list[Waiting]:
    """Ask the services that answer, all at the same time. A question that fails leaves only its own figures unknown."""
    questions = [one for one in _questions(running) if one[1] in answering]
    if not questions:
        return []
    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(lambda one: _answer(*one), questions))


def words_of(service: str, waiting: Sequence[Waiting]) -> str:
    """What waits in this service, for its line."""
    return ", ".join(one.words for one in waiting if one.service == service and one.words)


def document(waiting: Sequence[Waiting]) -> dict[str, Any]:
    """The figures as JSON; null, with the reason in `unknown`, where a service gave none."""
    figures = {(one.name, one.service): one.figures for one in waiting}
    return {
        "triage": figures.get(("triage", "router")),
        "dead_letters": figures.get(("dead letters", "router")),
        "mail": figures.get(("mail", "notifier")),
        "lag": {service: figures.get(("lag", service)) for service in SERVICES},
        "unknown": {f"{one.name} of {one.service}": one.unknown for one in waiting if one.unknown},
    }


def _questions(running: StackFile) -> list[tuple[str, str, Callable[[], tuple[Figures, str]]]]:
    urls = running.urls
    return [
        ("triage", "router", partial(_triage, urls.router)),
        ("dead letters", "router", partial(_dead_letters, urls.router)),
        ("mail", "notifier", partial(_mail, urls.notifier)),
        *(("lag", service, partial(_lag, url)) for service, url in urls.model_dump().items()),
    ]


def _answer(name: str, service: str, question: Callable[[], tuple[Figures, str]]) -> Waiting:
    try:
        return Waiting(name, service, *question())
    except Failure as failure:
        why = failure.sentence
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        why = "The service gave an answer that this command does not understand."
    return Waiting(name, service, None, f"{name} unknown", why)


def _get(url: str, **query: Any) -> Any:
    return ask("GET", url, operator=True, timeout_s=ASK_S, params=query).json()


def _triage(router: str) -> tuple[Figures, str]:
    found = _get(f"{router}/triage", limit=1)
    count, oldest = int(found["waiting"]), next(iter(found["inquiries"]), None)
    if oldest is None:
        return {"waiting": count, "oldest": None, "oldest_age_s": None}, f"{count} in triage"
    figures = {"waiting": count, "oldest": oldest["inquiry_id"], "oldest_age_s": int(oldest["age_s"])}
    return figures, f"{count} in triage (the oldest {oldest['inquiry_id']}, {age(figures['oldest_age_s'])})"


def _dead_letters(router: str) -> tuple[Figures, str]:
    found = _get(f"{router}/dead-letters", limit=1)
    count, unread = int(found["open"]), int(found["unread"])
    more = f" and {unread} not read yet" if unread else ""
    return {"open": count, "unread": unread}, f"{count} open dead letter{'' if count == 1 else 's'}{more}"


def _lag(service: str) -> tuple[Figures, str]:
    lag = {str(topic): int(count) for topic, count in _get(f"{service}/behind")["behind"].items()}
    words = " and ".join(f"{count} of {topic}" for topic, count in lag.items())
    return lag, f"lag {words}" if words else "no lag"


def _mail(notifier: str) -> tuple[Figures, str]:
    found = _get(f"{notifier}/mails/counts")
    unsent, failed = int(found["unsent"]), int(found["failed"])
    return {"unsent": unsent, "failed": failed}, f"{unsent} unsent and {failed} failed mails"
