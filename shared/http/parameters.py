"""Parameters that several routes share, with their descriptions in OpenAPI."""

from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import Field

InquiryId = Annotated[str, Path(description="The ticket number of the inquiry, such as `20261122-E94NXPQX`.")]
InquiryIdFilter = Annotated[str | None, Query(description="Only this ticket number.")]
EventId = Annotated[str, Path(description="The event id that Chorus returned when it stored the input.")]
DepartmentCode = Annotated[str, Path(description="The department's code, such as `water-supply`.")]
After = Annotated[str | None, Query(description="Continue after this place: `next` of the previous page.")]
PageSize = Annotated[int, Query(ge=1, le=1_000, description="The maximum number of results on the page.")]
KEY_MIN, KEY_MAX = 16, 200
IDEMPOTENCY_KEY = (
    "A random key, 16 to 200 characters, such as a UUID: a repeat with the same key and body gets the same answer. "
    "Keep it secret, because anybody who knows both gets that answer too."
)
OptionalIdempotencyKey = Annotated[
    str | None, Field(min_length=KEY_MIN, max_length=KEY_MAX, description=IDEMPOTENCY_KEY)
]
IdempotencyKeyHeader = Annotated[
    str | None, Header(min_length=KEY_MIN, max_length=KEY_MAX, description=IDEMPOTENCY_KEY)
]
QueryCodeHeader = Annotated[str | None, Header(description="The query code of the ticket.")]
QueryCode = Annotated[str | None, Query(description="The query code, for clients that cannot send the header.")]
AsOf = Annotated[
    str | None, Query(description="Count only events up to this time, RFC 3339 with a time zone; default: now.")
]
