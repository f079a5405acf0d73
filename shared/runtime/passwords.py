"""Reads a password from the file that a setting names."""

from pathlib import Path


def password(file: Path | None, user: str, prefix: str = "CHORUS_KAFKA") -> str:
    """Read a password file without surrounding white space. Raises ValueError with a sentence when it cannot be used.

    `prefix` is how the names of the two settings begin.
    """
    setting = f"{prefix}_PASSWORD_FILE"
    if file is None:
        raise ValueError(f"{prefix}_USER is {user!r} and {setting} is not set; set it to the file with the password")
    try:
        content = file.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"{setting} names {str(file)!r}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{setting} names {str(file)!r}, which is not UTF-8 text; save it as UTF-8") from error
    if not content:
        raise ValueError(f"{setting} names {str(file)!r}, which is empty; write the password into it")
    return content
