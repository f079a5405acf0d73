"""A city whose departments must accept within 10.8 seconds, with a reminder after half of that time."""

from shared.city import City
from tests.builders import CITY

POLICY = {
    "id": "standard",
    "clocks": {"accept": "0.003h", "first_reply": "20h", "resolve": "100h"},
    "supervision": [{"at": "50%", "tell": "desk"}],
}
NEAR = City.model_validate(CITY.model_dump() | {"policies": [POLICY]})
