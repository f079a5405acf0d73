"""Swagger UI at `/docs`, the only page with a script; the service itself serves all its files."""

from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from shared.web.layout import RENDER, Site
from shared.web.static_files import KeptFiles

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def swagger_page(title: str) -> HTMLResponse:
    """The page that shows `/openapi.json`."""
    page = RENDER("docs.html", "en", 200, Site(), "no-cache", title=title)
    page.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return page


def swagger_files() -> StaticFiles:
    """The application to mount at `/docs/files`: Swagger UI, from the package fastapi-offline."""
    return KeptFiles(packages=[("fastapi_offline", "static")])
