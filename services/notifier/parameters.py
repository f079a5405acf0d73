"""Query parameters that the hall's page and its feed share."""

from typing import Annotated

from fastapi import Query

HallAfter = Annotated[str | None, Query(description="Only answers older than the one to this ticket number.")]
