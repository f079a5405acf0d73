"""docker-compose.yml, parsed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
BROKERS = {"single": ("kafka",), "three": ("kafka-1", "kafka-2", "kafka-3")}
GIVEN = {"CHORUS_REPLICATION": "3", "CHORUS_SMTP": "mail.city.example:25"}


def filled(value: object, given: Mapping[str, str] = GIVEN) -> str:
    """Interpolate variables as Compose does, with only the required ones set in `.env`."""
    return re.sub(r"\$\{(\w+)(?::?[-?]([^}]*))?\}", lambda one: given.get(one[1], one[2] or ""), str(value))
