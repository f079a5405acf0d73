"""How a rating counts."""

from collections.abc import Mapping
from typing import Any


def count_rating(ratings: dict[str, int], rating: Mapping[str, Any], contacted: bool) -> None:
    ratings["valid"] += 1
    ratings["contacted"] += contacted
    ratings["solved"] += bool(rating["solved"])
    ratings["satisfied"] += rating["satisfied"] == "yes"
    ratings["mostly"] += rating["satisfied"] == "mostly"
