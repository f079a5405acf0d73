"""The style sheet and the mark, served by every service at `/static`."""

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from shared.web.layout import TEMPLATES


def static_files() -> StaticFiles:
    """What to mount at `/static`: the style sheet and the mark."""
    return KeptFiles(directory=TEMPLATES / "static")


class KeptFiles(StaticFiles):
    """Files that a browser may keep, as long as it asks whether they are still the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
