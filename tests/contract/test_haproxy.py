"""The configuration of HAProxy: each public port leads to the backend of its service."""

import re
from collections.abc import Iterator

from tests.conftest import REPOSITORY

SECTION = re.compile(r"^(\w+)(?: ([\w-]+))?$")
BACKENDS = {
    "write-in": "intake",
    "mail-in": "intake-mail",
    "desk": "router",
    "hall": "notifier",
    "scoreboard": "scorer",
}


def sections() -> Iterator[tuple[str, str, list[list[str]]]]:
    """Kind, name and lines (as words) of each section; a line belongs to the section above it."""
    found: list[tuple[str, str, list[list[str]]]] = []
    for line in (REPOSITORY / "deploy" / "haproxy" / "haproxy.cfg").read_text("utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith(" ") and (section := SECTION.match(line)):
            found.append((section[1], section[2] or "", []))
        else:
            found[-1][2].append(line.split())
    yield from found


def test_each_public_port_leads_to_its_service_in_the_same_mode() -> None:
    frontends = {name: lines for kind, name, lines in sections() if kind == "frontend"}
    backends = {name: lines for kind, name, lines in sections() if kind == "backend"}
    named = {name: [one[1] for one in lines if one[0] == "default_backend"] for name, lines in frontends.items()}
    assert named == {"health": []} | {name: [backend] for name, backend in BACKENDS.items()}
    assert set(backends) == set(BACKENDS.values())
    for name, backend in BACKENDS.items():
        modes = [[one for one in lines if one[0] == "mode"] for lines in (frontends[name], backends[backend])]
        assert modes[0] == modes[1], name


def test_servers_stand_in_backends_and_a_name_is_used_once() -> None:
    names = [(kind, name) for kind, name, _ in sections() if name]
    assert len(names) == len(set(names))
    for kind, name, lines in sections():
        servers = [one for one in lines if one[0] == "server-template"]
        assert len(servers) == (kind == "backend"), name
        if kind == "frontend":
            assert sum(one[0] == "bind" for one in lines) == 1, name
