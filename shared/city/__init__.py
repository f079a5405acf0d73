"""The city's configuration: departments, rules, policies and calendars, read from a folder of YAML files."""

from shared.city.calendars import Calendar
from shared.city.city import City, merge, put_department, put_text, remove_text, retire
from shared.city.entries import AREA_OFFICE, KINDS, Department, Name, Rule
from shared.city.faults import CityError, Fault, Faulty, Loc
from shared.city.folder import load_city
from shared.city.parsing import CITY_BYTES_MAX, city_of, department_of, text_of
from shared.city.policies import Policy
from shared.city.text_modules import TextModule

__all__ = [
    "AREA_OFFICE",
    "CITY_BYTES_MAX",
    "KINDS",
    "Calendar",
    "City",
    "CityError",
    "Department",
    "Fault",
    "Faulty",
    "Loc",
    "Name",
    "Policy",
    "Rule",
    "TextModule",
    "city_of",
    "department_of",
    "load_city",
    "merge",
    "put_department",
    "put_text",
    "remove_text",
    "retire",
    "text_of",
]
