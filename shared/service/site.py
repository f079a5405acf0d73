"""The addresses of the city's pages, as a service's own pages link to them."""

from collections.abc import Callable

from shared.city import City
from shared.runtime.settings import Settings
from shared.web.layout import Site

OWN_PAGES = {"intake": "intake", "notifier": "hall", "scorer": "scoreboard"}


def site_of(service: str, settings: Settings, city: Callable[[], City | None]) -> Site:
    """Links to this service's own pages are relative."""
    urls = {"intake": settings.public_url, "hall": settings.hall_url, "scoreboard": settings.scoreboard_url}
    own = {OWN_PAGES[service]: ""} if service in OWN_PAGES else {}
    return Site(**(urls | own), city=city)
