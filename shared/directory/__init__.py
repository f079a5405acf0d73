"""Owns what a city is: departments, the rules that assign to them, policies; read from a folder of YAML."""

from shared.directory.city import City, CityError, merge, put_department, retire
from shared.directory.folder import load_city
from shared.directory.records import (
    AREA_OFFICE,
    CODE_PATTERN,
    KINDS,
    MOST_DEPARTMENTS,
    Department,
    Name,
    Policy,
    Rule,
)

__all__ = [
    "AREA_OFFICE",
    "CODE_PATTERN",
    "KINDS",
    "MOST_DEPARTMENTS",
    "City",
    "CityError",
    "Department",
    "Name",
    "Policy",
    "Rule",
    "load_city",
    "merge",
    "put_department",
    "retire",
]
