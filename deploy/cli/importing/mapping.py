"""What a row means: which column holds which field, the body that intake is sent, the key that tells it again."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.cli.importing.rows import FileProblem, Row

FIELDS = (
    "subject",
    "body",
    "channel",
    "area",
    "contact.name",
    "contact.phone",
    "contact.email",
    "departments",
    "public",
    "confidential",
    "language",
    "external_id",
)
NEEDED = ("subject", "body")
TRUTH = {
    **dict.fromkeys(("true", "yes", "y", "1", "是", "公开"), True),
    **dict.fromkeys(("false", "no", "n", "0", "否", "不公开"), False),
}
DEPARTMENTS_APART = re.compile(r"[;|；]")


class WrongMapping(ValueError):
    """A --map that cannot be followed; the words say why and what would be right."""


class Unusable(ValueError):
    """A row that cannot become a message; the words say why and what would be right."""


@dataclass(frozen=True)
class ImportedMessage:
    """What intake is sent for a row. `key` is its Idempotency-Key, None when the row has an external_id."""

    body: Mapping[str, Any]
    key: str | None


def known_field(name: str) -> str:
    """The field a person means: `name` is `contact.name`. Raises WrongMapping."""
    folded = name.strip().casefold().replace("contact_", "contact.")
    found = next((one for one in FIELDS if folded in (one, one.removeprefix("contact."))), None)
    if found is None:
        raise WrongMapping(f"{name!r} is no field of a message: write one of {', '.join(FIELDS)}.")
    return found


def read_map(given: Iterable[str]) -> dict[str, str]:
    """`FIELD=COLUMN` by field; raises WrongMapping."""
    chosen: dict[str, str] = {}
    for one in given:
        name, equals, column = one.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise WrongMapping(f"--map {one!r} is not FIELD=COLUMN: write it like --map subject=标题.")
        field = known_field(name)
        if field in chosen:
            raise WrongMapping(
                f"--map names {field!r} twice, with {chosen[field]!r} and {column.strip()!r}: choose one."
            )
        chosen[field] = column.strip()
    return chosen


def fields_of(columns: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Every field's column: the one chosen, else the one of its name."""
    named = _by_name([one for one in columns if one not in chosen.values()], set(chosen))
    return named | {field: column for field, column in chosen.items() if column in columns}


def check_columns(columns: Sequence[str], chosen: Mapping[str, str], *, open_ended: bool = False) -> None:
    """Raise WrongMapping for a chosen column that is not there, FileProblem when subject or body have none.

    `open_ended` is a file whose rows may have further columns, so that one may be chosen that was not seen yet.
    """
    for field, column in chosen.items():
        if column not in columns and not open_ended:
            raise WrongMapping(f"--map {field}={column}: there is no column {column!r}; {_found(columns)}.")
    have = {*fields_of(columns, chosen), *chosen}
    if missing := [field for field in NEEDED if field not in have]:
        raise FileProblem(
            f"No column holds the {' and the '.join(missing)}: {_found(columns)}; say which it is, "
            f"like --map {missing[0]}={_example(columns)}."
        )


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
    return ImportedMessage(body, None if "external_id" in body else key_of(body))


def key_of(body: Mapping[str, Any]) -> str:
    """The same fields give the same key, in whatever order and encoding they stood."""
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _by_name(columns: Sequence[str], taken: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in columns:
        try:
            field = known_field(column)
        except WrongMapping:
            continue
        if field not in taken:
            found.setdefault(field, column)
    return found


def _found(columns: Sequence[str]) -> str:
    return f"the file has the columns {', '.join(map(repr, columns))}" if columns else "the file has no columns"


def _example(columns: Sequence[str]) -> str:
    return next((one for one in columns if one and one.casefold() not in NEEDED), "COLUMN")


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
