"""The bodies of requests about users."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from services.router.domain.staff import StaffRole
from shared.contracts.documented import Documented
from shared.contracts.fields import is_blank

NAME_MAX = 64
PUNCTUATION = "._-@"


def _a_name(given: str) -> str:
    """The name in Unicode's form C. Refuses characters that people cannot see or tell from a separator."""
    name = unicodedata.normalize("NFC", given)
    if is_blank(name[0]) or not name[0].isalnum():
        raise ValueError("does not begin with a letter or a digit; write a name such as li.wei")
    if any(is_blank(one) or not (one.isalnum() or one in PUNCTUATION) for one in name):
        raise ValueError("has other characters than letters, digits and . _ - @; write a name such as li.wei")
    return name


UserName = Annotated[str, Field(min_length=2, max_length=NAME_MAX), AfterValidator(_a_name)]


class NewUserBody(Documented):
    """The body of `POST /users`."""

    model_config = ConfigDict(extra="forbid")
    name: UserName
    """The name by which colleagues know the user: 2 to 64 letters, digits and `.`, `_`, `-`, `@`. It never changes."""
    role: StaffRole
    """What the user may do: `clerk`, `coordinator`, `approver`, `supervisor`, `auditor` or `operator`."""
    department: str | None = None
    """The code of the user's department: required for a clerk, possible for an approver, null for the others."""
