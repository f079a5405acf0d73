"""Parameters that several routes have, with their descriptions in OpenAPI."""

from typing import Annotated

from fastapi import Header, Path, Query

InquiryId = Annotated[str, Path(description="The ticket number of the inquiry, such as `20261122-E94NXPQX`.")]
InquiryIdFilter = Annotated[str | None, Query(description="Only this ticket number.")]
EventId = Annotated[str, Path(description="The id that the request which stored the input returned.")]
DepartmentCode = Annotated[str, Path(description="The department's code, such as `water-supply`.")]
After = Annotated[str | None, Query(description="Only what follows this: `next` of the page before.")]
PageSize = Annotated[int, Query(ge=1, le=1_000, description="The size of the page.")]
QueryCodeHeader = Annotated[str | None, Header(description="The query code of the ticket.")]
QueryCode = Annotated[str | None, Query(description="The query code, where no header can be sent.")]
AsOf = Annotated[
    str | None, Query(description="Only events up to this time count, RFC 3339 with a time zone; without it, now.")
]
