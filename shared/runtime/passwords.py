"""Reads a password from the file that a setting names."""

from pathlib import Path


def password(file: Path | None, user: str, of: str = "CHORUS_KAFKA") -> str:
    """The password in a file, without surrounding white space; raises ValueError with a sentence when there is none.

    `of` is how the names of the two settings begin.
    """
    setting = f"{of}_PASSWORD_FILE"
    if file is None:
        raise ValueError(f"{of}_USER is {user!r} and {setting} is not set; point it to the file with its password")
    try:
        content = file.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"{setting} names {str(file)!r}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{setting} names {str(file)!r}, which is not text in UTF-8") from error
    if not content:
        raise ValueError(f"{setting} names {str(file)!r}, which is empty; it must hold the password")
    return content
