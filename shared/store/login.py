"""The keyword arguments with which MongoDB's client logs in."""

from typing import Any

from shared.runtime.passwords import password
from shared.runtime.settings import Settings


def store_login(settings: Settings) -> dict[str, Any]:
    """Keyword arguments by which MongoDB's client logs in; none where the store has no users.

    Raises ValueError with a sentence when a user is named without a password, or the other way round.
    """
    user, file = settings.mongodb_user, settings.mongodb_password_file
    if user is None:
        if file is not None:
            raise ValueError(
                f"CHORUS_MONGODB_PASSWORD_FILE is {str(file)!r} and CHORUS_MONGODB_USER is not set; name the user"
            )
        return {}
    return {"username": user, "password": password(file, user, "CHORUS_MONGODB"), "authSource": "admin"}
