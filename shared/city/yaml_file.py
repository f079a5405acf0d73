"""Reads one YAML file into plain values, with the line of each value for error messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.city.faults import Loc, quoted, writable

FILE_BYTES_MAX = 1024 * 1024


class UnreadableYaml(ValueError):
    """A file that cannot be read at all; the message is a sentence with the file and the line."""


@dataclass(frozen=True)
class YamlFile:
    """The values of a file. `problems` are sentences about the values and keys that were skipped."""

    name: str
    value: Any
    root: yaml.Node
    problems: tuple[str, ...]

    def line(self, loc: Loc) -> int:
        """The line of the value at `loc`; for a missing value, of the entry that lacks it. Counted from 1."""
        node = self.root
        for step in loc:
            if (inner := _inside(node, step)) is None:
                break
            node = inner
        return _line(node)


def read(folder: Path, name: str) -> YamlFile:
    """Read the file. Raises `UnreadableYaml`."""
    text = _text(folder, name)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except RecursionError as error:
        raise UnreadableYaml(
            f"{name}: the file is nested too deeply; a city's file needs no more than five levels."
        ) from error
    except yaml.reader.ReaderError as error:
        line, character = text.count("\n", 0, error.position) + 1, f"U+{error.character:04X}"
        raise UnreadableYaml(f"{name}:{line}: the character {character} is not allowed; remove it.") from error
    except yaml.MarkedYAMLError as error:
        raise UnreadableYaml(_not_yaml(name, error)) from error
    if root is None:
        raise UnreadableYaml(f"{name}: the file is empty; write its entries or see the sample city.")
    problems: list[str] = []
    value = _plain(loader, root, name, problems)
    return YamlFile(name, value, root, tuple(problems))


def _text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        if path.exists() and not path.is_file():
            raise UnreadableYaml(f"{name}: this is not a file; replace it with a file of that name.")
        if (size := path.stat().st_size) > FILE_BYTES_MAX:
            several = next((one for one in ("rules", "texts") if name.startswith(one)), None)
            more = f"split the {several} into several files in {several}/" if several else "shorten it"
            raise UnreadableYaml(f"{name}: the file has {size} bytes; the limit is {FILE_BYTES_MAX}: {more}.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableYaml(f"{name}: the file does not exist in {writable(str(folder))!r}; add it.") from error
    except OSError as error:
        raise UnreadableYaml(f"{name}: the file cannot be read ({error.strerror}); make it readable.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start} (0x{content[error.start]:02X}) is not UTF-8"
        raise UnreadableYaml(f"{name}:{line}: {byte}; save the file as UTF-8.") from error


class _Loader(yaml.SafeLoader):
    """Rejects aliases: a few lines of nested aliases can expand to more than the memory holds (billion laughs attack)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            alias: Any = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=f'"*{alias.anchor}" is an alias; write the value itself',
                problem_mark=alias.start_mark,
            )
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _not_yaml(name: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}:{mark.line + 1}" if mark else name
    reason = writable(str(error.problem or error.context))
    if "'\\t'" in (error.problem or "") or "tab" in (error.problem or ""):
        return f"{place}: the line is indented with a tab; indent with spaces."
    if "another document" in reason:
        return f"{place}: a second document begins here; remove the line '---'."
    if "is an alias" in reason:
        return f"{place}: {reason}."
    remedy = "put quotes around the text, or close the bracket or quote that is still open"
    return f"{place}: this is not valid YAML ({reason}); {remedy}."


def _plain(loader: yaml.SafeLoader, node: yaml.Node, name: str, problems: list[str]) -> Any:
    """The values of a node; appends a sentence to `problems` for each one that cannot be read."""
    match node:
        case yaml.MappingNode():
            return {key: _plain(loader, value, name, problems) for key, value in _pairs(node, name, problems)}
        case yaml.SequenceNode():
            return [_plain(loader, one, name, problems) for one in node.value]
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
        problems.append(f"{name}:{_line(node)}: {quoted(node.value)} cannot be read; write plain text, in quotes.")
        return node.value


def _pairs(node: yaml.MappingNode, name: str, problems: list[str]) -> Iterator[tuple[str, yaml.Node]]:
    """The fields of a mapping. A repeated key is a problem: PyYAML would silently keep the last value only."""
    first: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{name}:{_line(key)}: a field's name must be a word; write 'field: value'.")
        elif key.value in first:
            sentence = f"the key {quoted(key.value)} is repeated, first in line {first[key.value]}; keep one of them."
            problems.append(f"{name}:{_line(key)}: {sentence}")
        else:
            first[key.value] = _line(key)
            yield key.value, value


def _inside(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        inner: yaml.Node = node.value[step]
        return inner
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
