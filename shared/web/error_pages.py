"""Errors for people: a browser gets a page in the reader's language, every other client the problem document."""

from fastapi import Request
from fastapi.responses import Response

from shared.http.accept import wants_page
from shared.http.problems import Problem, ProblemPage
from shared.web import layout
from shared.web.layout import Site, language


def error_pages(site: Site) -> ProblemPage:
    """The function that makes the page of an error; it returns None for a client that did not ask for a page."""

    def page(request: Request, problem: Problem) -> Response | None:
        if not wants_page(request):
            return None
        reading = request.method in ("GET", "HEAD")
        answer = layout.problem(language(request), problem.status, site=site, reading=reading)
        answer.headers.update(problem.headers or {})
        return answer

    return page
