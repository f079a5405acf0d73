"""The reference pages of a service: its routes and its topics, from its own documents."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse

from shared.runtime.languages import Lang
from shared.web.layout import RENDER, Site
from shared.web.reference import channels, operations


def interface(lang: Lang, document: Mapping[str, Any], site: Site) -> HTMLResponse:
    """A service's routes, from its OpenAPI document."""
    title, found = document["info"]["title"], operations(document)
    return RENDER("reference.html", lang, 200, site, "no-cache", title=title, operations=found, channels=[])


def messages(lang: Lang, document: Mapping[str, Any], site: Site) -> HTMLResponse:
    """A service's topics, from its AsyncAPI document."""
    title, found = document["info"]["title"], channels(document)
    return RENDER("reference.html", lang, 200, site, "no-cache", title=title, operations=[], channels=found)
