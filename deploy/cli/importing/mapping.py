"""What a row means: the body that intake is sent, and the key by which intake knows it again."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploy.cli.importing.row import Row

TRUTH = {
    **dict.fromkeys(("true", "yes", "y", "1", "是", "公开"), True),
    **dict.fromkeys(("false", "no", "n", "0", "否", "不公开"), False),
}
DEPARTMENTS_APART = re.compile(r"[;|；]")


class Unusable(ValueError):
    """A row that cannot become a message; the words say why and what would be right."""


@dataclass(frozen=True)
class ImportedMessage:
    """What intake is sent for a row. `key` is its Idempotency-Key, None when the row has an external_id."""

    body: Mapping[str, Any]
    content: bytes
    key: str | None

    @property
    def external_id(self) -> str:
        """The message's number in another system, empty without one."""
        return str(self.body.get("external_id", ""))

    def repeated(self, times: int) -> "ImportedMessage":
        """The message of the second, third… copy of a row, imported with --keep-duplicates."""
        return replace(self, key=f"{self.key}-{times}")


def message(row: Row, fields: Mapping[str, str], channel: str) -> ImportedMessage:
    """The message that a row is; `channel` is that of a row that names none. Raises Unusable.

    What is sent is what is hashed (NFC, without white space around), so that a row has one key in every encoding.
    """
    if row.unreadable is not None:
        raise Unusable(row.unreadable)
    given = {field: _value(field, row.cells.get(column)) for field, column in fields.items()}
    given["channel"] = given.get("channel") or channel
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None and "." not in name}
    contact = {name[8:]: value for name, value in given.items() if value is not None and name.startswith("contact.")}
    if contact:
        body["contact"] = contact
    content = _content(body)
    return ImportedMessage(body, content, None if "external_id" in body else _key(content))


def key_of(body: Mapping[str, Any]) -> str:
    """The same fields give the same key, in whatever order and encoding they stood."""
    return _key(_content(body))


def _key(content: bytes) -> str:
    return f"sha256-{hashlib.sha256(content).hexdigest()}"


def _content(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        half = ", ".join(f"U+{ord(one):04X}" for one in error.object[error.start : error.end][:3])
        raise Unusable(f"the row holds half a character ({half}), which no text can; write it again") from error
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the row holds a value that is no JSON ({error}); write text") from error


def _value(field: str, given: Any) -> Any:
    """A cell as intake wants it; what is not text and was not expected goes on as it is, for intake to say why not."""
    if isinstance(given, str):
        given = _tidied(given) or None
    elif isinstance(given, list):
        given = [_tidied(one) if isinstance(one, str) else one for one in given] or None
    if given is None:
        return None
    if field == "departments":
        return _codes(given)
    if field in ("public", "confidential"):
        return _truth(field, given)
    if field == "external_id" and isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given


def _tidied(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _codes(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    return [code.strip() for code in DEPARTMENTS_APART.split(given) if code.strip()] or None


def _truth(field: str, given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if given.casefold() not in TRUTH:
        raise Unusable(f"{field} {given[:60]!r} is neither true nor false; write true, false, 是 or 否")
    return TRUTH[given.casefold()]
