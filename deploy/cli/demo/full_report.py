"""The report of `chorus demo --full`: figures, the stories with their steps, and the messages with where to look at them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.cli.console import FAILED, UNAVAILABLE, Failure, emit, say
from deploy.cli.demo.account import duplicate_facts
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import Stage
from deploy.cli.demo.topic_watch import problems_of_chain
from deploy.local.stack_file import Urls


def finish(urls: Urls, stages: Sequence[Stage], about: Mapping[str, Any]) -> None:
    """Print the summary, or with --json the document. Raises Failure 3 when something was away, 1 when a story failed."""
    document = report(urls, stages, about)
    _summary(stages, document)
    emit(document)
    failed = [stage for stage in stages if not stage.passed]
    if any(stage.away for stage in failed):
        raise Failure(UNAVAILABLE, f"Something is away: see `chorus status`. {_steps(failed)}")
    if failed or document["lost"] or document["double"]:
        problems = [f"  {one['inquiry_id']}: {why}" for one in document["cases"] for why in one["problems"]]
        said = _steps(failed) if failed else "The stories passed, and messages are lost or double."
        raise Failure(FAILED, "\n".join([said, *problems[:10]]))


def report(urls: Urls, stages: Sequence[Stage], about: Mapping[str, Any]) -> dict[str, Any]:
    """The output of `--json`."""
    cases = [_case(urls, stage, case) for stage in stages for case in stage.cases]
    figures = {
        "sent": len(cases),
        "answered": sum(one["answered"] for one in cases),
        "joint": sum(one["joint"] for one in cases),
        "rated": sum(one["rated"] for one in cases),
        "lost": sum(one["lost"] for one in cases),
        "double": sum(one["double"] for one in cases),
    }
    stories = [
        {
            "number": stage.story.number,
            "title": stage.story.title,
            "passed": stage.passed,
            "steps": [step.document() for step in stage.steps],
            "cases": [case.inquiry_id for case in stage.cases],
        }
        for stage in stages
    ]
    return {**figures, **about, "stories": stories, "cases": cases}


def _case(urls: Urls, stage: Stage, case: PlayedCase) -> dict[str, Any]:
    answers = stage.eyes.events(case, "inquiry.answered")
    events = stage.eyes.events(case)
    lost, double = list(lost_of(stage, case)), list(double_of(stage, case))
    return {
        "inquiry_id": case.inquiry_id,
        "story": case.story,
        "subject": case.subject,
        "state": events[-1].data.get("state") if events else None,
        "departments": events[-1].data.get("departments") if events else [],
        "answered": bool(answers),
        "joint": any(len(one.data.get("parts", ())) > 1 for one in answers),
        "rated": bool(stage.eyes.events(case, "inquiry.rated")),
        "lost": bool(lost),
        "double": bool(double),
        "problems": [*lost, *double],
        "ticket_url": stage.eyes.ticket_url(case),
    }


def lost_of(stage: Stage, case: PlayedCase) -> Iterator[str]:
    """One sentence for each thing that is missing."""
    if not stage.eyes.events(case, "inquiry.registered"):
        yield "it is not registered"
    elif case.answers and not stage.eyes.events(case, "inquiry.answered"):
        yield "it has no answer"


def double_of(stage: Stage, case: PlayedCase) -> Iterator[str]:
    """One sentence for each thing that came twice, and for a chain of events that does not verify."""
    events = stage.eyes.events(case)
    yield from duplicate_facts(
        {"type": one.type, "sequence": one.data.get("sequence"), "data": one.data} for one in events
    )
    yield from problems_of_chain(events)
    notices = Counter(notice for mail in stage.eyes.mails.to(case.email) for notice in mail.notices)
    yield from (f"the notice {notice} was mailed {times} times" for notice, times in notices.items() if times > 1)
    yield from (one for one in stage.eyes.topics.changed if case.inquiry_id in one)


def _summary(stages: Sequence[Stage], document: Mapping[str, Any]) -> None:
    say("")
    for stage in stages:
        passed = sum(step.passed for step in stage.steps)
        became = "✓ passed" if stage.passed else "✗ FAILED"
        say(f"{stage.story.number:>2}  {became}  {stage.story.title}: {passed} of {len(stage.steps)} steps")
        for case in stage.cases:
            say(f"      chorus timeline {case.inquiry_id}   {stage.eyes.ticket_url(case)}")
    figures = ", ".join(f"{document[name]} {name}" for name in ("sent", "answered", "joint", "rated", "lost", "double"))
    passed = sum(stage.passed for stage in stages)
    say("", f"{passed} of {len(stages)} stories passed; {figures}, in {document['seconds']} s.")


def _steps(failed: Sequence[Stage]) -> str:
    """The failing step of each story that failed."""
    lines = [
        f"  story {stage.story.number}, {step.what}: {step.why}"
        for stage in failed
        for step in stage.steps
        if not step.passed
    ]
    return "\n".join([f"Not all stories passed ({len(failed)} failed).", *lines])
