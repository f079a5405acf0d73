"""The style sheet and the logo, served by every service at `/static`."""

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from shared.web.layout import TEMPLATES


def static_files() -> StaticFiles:
    """The application to mount at `/static`."""
    return KeptFiles(directory=TEMPLATES / "static")


class KeptFiles(StaticFiles):
    """Files that browsers may cache but must revalidate."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304 if the browser has it already."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
