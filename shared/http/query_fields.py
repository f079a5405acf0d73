"""Query fields of lists: unknown fields and unknown places are refused, because the list would be the wrong one."""

from fastapi import Depends, Request

from shared.http.accept import wants_page
from shared.http.problems import FieldProblem, Problem, pointer, shown

TOLD_MAX = 20


async def refuse_unknown_fields(request: Request) -> None:
    """Raise Problem 422 for query fields that the route does not have: a misspelt filter would return everything.

    Browsers are not checked: links that people share carry additions such as `utm_source`.
    """
    known = [one.alias for one in request.scope["route"].dependant.query_params]
    unknown = [name for name in dict.fromkeys(request.query_params.keys()) if name not in known]
    if not unknown or wants_page(request):
        return
    remedy = f"known are {', '.join(known)}" if known else "this address has none"
    problems = [
        FieldProblem(pointer=pointer([name]), detail=f"{shown(name)} is not a query field here; {remedy}")
        for name in unknown[:TOLD_MAX]
    ]
    raise Problem(422, "; ".join(one.detail for one in problems[:5]) + ".", problems)


def unknown_place(after: str) -> Problem:
    """404 for a place that no earlier page can have ended with."""
    return Problem(404, f"There is no place {shown(after)} in this list; start without `after`.")


KNOWN_FIELDS_ONLY = Depends(refuse_unknown_fields)
