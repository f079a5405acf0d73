"""Reads the login of MongoDB from the settings."""

from typing import Any

from shared.runtime.passwords import password
from shared.runtime.settings import Settings


def store_login(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of MongoDB's client; empty when no user is set.

    Raises ValueError with a sentence when a user is set without a password file, or a password file without a user.
    """
    user, file = settings.mongodb_user, settings.mongodb_password_file
    if user is None:
        if file is not None:
            raise ValueError(
                f"CHORUS_MONGODB_PASSWORD_FILE is {str(file)!r} and CHORUS_MONGODB_USER is not set; set the user"
            )
        return {}
    return {"username": user, "password": password(file, user, "CHORUS_MONGODB"), "authSource": "admin"}
