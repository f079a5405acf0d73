"""A story of `chorus demo --full`: what it needs to play, and what became of each of its steps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka.errors import KafkaError

from deploy.cli.demo.account import DemoMail
from deploy.cli.demo.expectations import SETTLED_S, NotAsExpected, expect, expect_same, soon
from deploy.cli.demo.eyes import Eyes, PlayedCase
from deploy.cli.demo.hands import Hands
from deploy.cli.demo.terms import Policy, channel
from deploy.cli.demo.texts import StoryMessage, story_texts
from deploy.cli.demo.topic_watch import WatchedRecord
from deploy.cli.demo.town import Town
from deploy.failure import UNAVAILABLE, Failure

AWAY = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)


@dataclass(frozen=True)
class FullStory:
    """One story. `policies` are in force while it is played, for the messages that it writes under their names."""

    number: int
    title: str
    play: Callable[["Stage"], Awaitable[None]]
    policies: Mapping[str, Policy]


@dataclass(frozen=True)
class PlayedStep:
    """A step of a story; `why` says what was seen instead when it has not passed."""

    what: str
    passed: bool
    why: str | None = None

    def document(self) -> dict[str, Any]:
        return {"what": self.what, "passed": self.passed} | ({"why": self.why} if self.why else {})


class StoryEnded(Exception):
    """A step has failed, so the story ends; the step says why."""


@dataclass
class Stage:
    """What a story plays on. `tell` shows a step, `run` is the name of this run."""

    story: FullStory
    run: str
    town: Town
    hands: Hands
    eyes: Eyes
    tell: Callable[[FullStory, PlayedStep], None]
    words: Mapping[str, Mapping[str, str]]
    """The street and the house number of this run, by language."""
    steps: list[PlayedStep] = field(default_factory=list)
    cases: list[PlayedCase] = field(default_factory=list)
    away: bool = False
    """Whether the story ended because a service or Kafka does not answer."""
    _named: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return bool(self.steps) and all(one.passed for one in self.steps)

    @asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[None]:
        """One step. Raises StoryEnded when it fails."""
        try:
            yield
        except (NotAsExpected, TimeoutError) as error:
            self._end(what, str(error) or "it took too long")
        except httpx.HTTPStatusError as error:
            self.away = error.response.status_code in AWAY
            self._end(what, f"{error.request.method} {error.request.url.path} gets {error.response.status_code}")
        except (httpx.HTTPError, KafkaError) as error:
            self.away = True
            self._end(what, f"no answer: {error or type(error).__name__}")
        except Failure as failure:
            self.away = self.away or failure.code == UNAVAILABLE
            self._end(what, failure.sentence)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # An answer lacks a field that the documents promise.
            self._end(what, f"an answer has another form than documented ({type(error).__name__}: {error})")
        else:
            self._keep(PlayedStep(what, passed=True))

    def fail(self, what: str, why: str) -> None:
        """A step that has failed although the story is not in it."""
        self._keep(PlayedStep(what, passed=False, why=why))

    def _keep(self, step: PlayedStep) -> None:
        self.steps.append(step)
        self.tell(self.story, step)

    def _end(self, what: str, why: str) -> None:
        self.fail(what, why)
        raise StoryEnded

    # ── what most stories do ─────────────────────────────────────────────────

    def department(self, preferred: str) -> str:
        """This department of the sample city; in another city, one that the story has not used."""
        if preferred not in self._named:
            free = [code for code in self.town.names if code not in self._named.values()]
            self._named[preferred] = preferred if preferred in free else free[-1]
        return self._named[preferred]

    def name(self, code: str, case: PlayedCase) -> str:
        """The name of the department in the language of the inquiry."""
        return self.town.names[code][case.language]

    def text(self, name: str) -> str:
        """What somebody writes in this story, from `texts.yaml`."""
        return story_texts()[self.story.number].words[name].replace("{run}", self.run)

    async def write(self, name: str, departments: Sequence[str], *, policy: str, **more: Any) -> PlayedCase:
        """Send the message with this name to these departments, under a policy of the story.

        It has a mail address of its own.
        """
        text, email = self.message(name), self.address()
        message = {
            "subject": text.subject,
            "body": text.body,
            "channel": channel(self.run, policy),
            "departments": list(departments),
            "language": text.language,
            "contact": {"email": email, **more.pop("contact", {})},
            **more,
        }
        inquiry_id, code = await self.hands.write(message)
        return self.played(text, inquiry_id, code, email)

    def message(self, name: str) -> StoryMessage:
        """The message with this name, as a resident writes it in this run."""
        text = story_texts()[self.story.number].messages[name]
        words = {**self.words[text.language], "run": self.run}
        filled = {"subject": text.subject.format(**words), "body": text.body.format(**words)}
        return text.model_copy(update=filled)

    def address(self) -> str:
        """A mail address of its own for the next message."""
        return f"demo-{self.run}-{self.story.number}-{len(self.cases) + 1}@mail.example"

    def played(self, message: StoryMessage, inquiry_id: str, code: str, email: str) -> PlayedCase:
        """Keep a message that has become an inquiry, for the report."""
        case = PlayedCase(self.story.number, message.subject, inquiry_id, code, email, message.language)
        self.cases.append(case)
        return case

    async def confirm(self, case: PlayedCase) -> None:
        """Confirm the mail address with the link in the first mail, so that further mails have the texts."""

        async def first() -> list[DemoMail]:
            return self.eyes.mails.to(case.email)

        mails = await soon(first, f"no mail to {case.email}")
        if (link := next((one.confirm_url for one in mails if one.confirm_url), None)) is not None:
            await self.hands.confirm(link)

    async def inbox(self, case: PlayedCase, code: str, type_: str, number: int = 1) -> WatchedRecord:
        """The message with this number, counted from 1, of this type about the inquiry in the inbox of a department."""

        async def look() -> list[WatchedRecord]:
            return self.eyes.inbox(case, code, type_)[number - 1 : number]

        return (await soon(look, f"the inbox of {code} has no {type_} of {case.inquiry_id}"))[0]

    async def event(self, case: PlayedCase, type_: str, number: int = 1) -> WatchedRecord:
        """The event with this number, counted from 1, of this type of the inquiry."""

        async def look() -> list[WatchedRecord]:
            return self.eyes.events(case, type_)[number - 1 : number]

        return (await soon(look, f"there is no event {type_} of {case.inquiry_id}"))[0]

    async def ticket_in(self, case: PlayedCase, *states: str) -> dict[str, Any]:
        """The ticket, once it is in one of these states."""

        sentence = f"the ticket {case.inquiry_id} is not {' or '.join(states)}"
        return await self.ticket_where(case, lambda seen: seen["state"] in states, sentence)

    async def ticket_where(
        self, case: PlayedCase, holds: Callable[[Mapping[str, Any]], object], sentence: str
    ) -> dict[str, Any]:
        """The ticket, once this holds of it."""

        async def look() -> dict[str, Any] | None:
            seen = await self.eyes.ticket(case)
            return seen if holds(seen) else None

        return await soon(look, sentence)

    async def settle(self) -> None:
        """Wait a moment for what must not come."""
        await asyncio.sleep(SETTLED_S)

    async def told(self, case: PlayedCase, what: str, *words: str) -> DemoMail:
        """The one mail with this news. Raises NotAsExpected when it lacks one of the words, or comes twice."""

        async def look() -> list[DemoMail]:
            return self.eyes.mails_about(case, what)

        mail = (await soon(look, f"no mail to {case.email} says {what}"))[0]
        await self.settle()
        expect_same(len(self.eyes.mails_about(case, what)), 1, f"mails that say {what}")
        text = "".join(mail.text.split())
        for one in words:
            expect("".join(one.split()) in text, f"the mail that says {what} lacks {one!r}")
        return mail

    async def refused(self, case: PlayedCase, code: str, id_: str) -> Mapping[str, Any]:
        """The refusal of a message that a department has sent, from its inbox: `reason` and `remedy`."""

        async def look() -> list[WatchedRecord]:
            found = self.eyes.inbox(case, code, "message.refused")
            return [one for one in found if one.data.get("cause") == id_]

        return (await soon(look, f"the inbox of {code} has no refusal of {id_}"))[0].data

    async def once(self, case: PlayedCase, code: str, type_: str) -> WatchedRecord:
        """The only message of this type about the inquiry in the inbox. Raises NotAsExpected when a second one follows."""
        first = await self.inbox(case, code, type_)
        await self.settle()
        expect_same(len(self.eyes.inbox(case, code, type_)), 1, f"messages {type_} for {code}")
        return first
