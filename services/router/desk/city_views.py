"""Reads the city for the desk: the revision in force, and where its rules would send a message. Changes nothing."""

import asyncio
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Request
from pydantic import Field, field_validator

from services.router.desk.city_revisions import CityDesk
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.route_explanation import RouteExplanation, explain
from shared.city import City, Name
from shared.city.entries import Channel
from shared.contracts.documented import Documented
from shared.contracts.fields import blank_is_none, has_words, no_nul
from shared.contracts.limits import BODY_MAX, SUBJECT_MAX
from shared.http.problems import Problem, documented
from shared.http.request_body import body_of, limited_body, parsed

AREA_MAX = 100
FOLLOWED_S = 3.0
FOLLOWED_POLL_S = 0.05


class RouteBody(Documented):
    """The body of `POST /route`: a message that nobody has sent."""

    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_MAX)]
    """The subject line, 1 to 200 characters."""
    body: Annotated[str, Field(max_length=BODY_MAX)] = ""
    """The message, at most 20,000 characters."""
    area: Annotated[str | None, Field(max_length=AREA_MAX)] = None
    """The area as a resident would write it; null for none."""
    channel: Channel = "web"
    """How the message would come in, such as `web` or `hotline`."""

    _words = field_validator("subject")(has_words("write the subject"))
    _no_nul = field_validator("body", "area")(no_nul)
    _blank_area = field_validator("area", mode="before")(blank_is_none)


class NearRuleShown(Documented):
    """A rule that shares terms with the message and does not assign it."""

    rule: str
    """The rule's id."""
    departments: tuple[str, ...]
    """The departments that it would assign, the lead first; `@area` is the district office of the area."""
    terms: tuple[str, ...]
    """The terms of the rule that the message has."""
    why_not: str
    """Why the rule does not assign the message."""


class RouteShown(Documented):
    """Where the rules would send a message."""

    revision: int
    """The revision of the city whose rules were asked."""
    triage: bool
    """Whether no rule matches, so that the message would go to triage."""
    lead: str | None
    """The code of the department that would lead; null in triage."""
    co_handlers: tuple[str, ...]
    """The codes of the co-handlers."""
    rule: str | None
    """The id of the rule that matches; null in triage."""
    why: Name | None
    """The reason that the departments would read, in both languages; null in triage."""
    matched: Literal["subject", "message"] | None
    """Whether the rule matches the subject alone, or subject and body together; null in triage."""
    terms: tuple[str, ...]
    """The terms of the rule that the message has; empty in triage."""
    words_needed: int
    """How many terms of one rule a message of this length needs when its subject alone matches no rule."""
    near: list[NearRuleShown]
    """At most five rules that share terms with the message, those with the most terms first."""

    @classmethod
    def of(cls, found: RouteExplanation, revision: int) -> Self:
        to = found.assignment
        return cls(
            revision=revision,
            triage=to is None,
            lead=to.lead if to else None,
            co_handlers=to.co_handlers if to else (),
            rule=to.rule if to else None,
            why=Name.model_construct(zh=to.why.zh, en=to.why.en) if to else None,
            matched=found.matched,
            terms=found.terms,
            words_needed=found.words_needed,
            near=[NearRuleShown(**one._asdict()) for one in found.near],
        )


def add_routes(api: APIRouter, city: CityDesk) -> None:
    @api.get("/city", summary="The city in force: directory, rules and policies")
    async def in_force() -> City:
        return await latest(city)

    @api.post(
        "/route",
        openapi_extra=body_of(RouteBody),
        responses=documented(408, 413),
        summary="Which rule would assign a message, and why; changes nothing",
    )
    async def route(request: Request) -> RouteShown:
        given = parsed(RouteBody, await limited_body(request))
        rules = await index_in_force(city)
        found = explain(rules.rules, subject=given.subject, body=given.body, area=given.area, channel=given.channel)
        return RouteShown.of(found, rules.revision)


async def latest(city: CityDesk) -> City:
    """The newest revision. Raises Problem 404 before the first city is applied."""
    found = await city.store.revisions.latest()
    if found is None:
        raise Problem(404, "No city has been applied yet; apply one with `chorus apply`.")
    return found


async def index_in_force(city: CityDesk) -> CityIndex:
    """The newest revision with its rules. Waits up to FOLLOWED_S until this router has read it and decides by it."""
    newest = await latest(city)
    for _ in range(int(FOLLOWED_S / FOLLOWED_POLL_S)):
        if city.city.city is not None and city.city.city.revision >= newest.revision:
            return city.city.current()
        await asyncio.sleep(FOLLOWED_POLL_S)
    return city_index(newest)
