"""Reads one file of YAML into plain values, each with its line; what is no plain data is told in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.city.faults import Loc, quoted, writable

FILE_BYTES_MAX = 1024 * 1024


class UnreadableYaml(ValueError):
    """Why a file could not be read at all, in a sentence."""


@dataclass(frozen=True)
class YamlFile:
    """What a file holds, and where; `problems` are sentences about what was read around."""

    name: str
    value: Any
    root: yaml.Node
    problems: tuple[str, ...]

    def line(self, loc: Loc) -> int:
        """The line of the value at `loc`, or of what it is missing in."""
        node = self.root
        for step in loc:
            if (inner := _inside(node, step)) is None:
                break
            node = inner
        return _line(node)


def read(folder: Path, name: str) -> YamlFile:
    """The file's content. Raises `Unreadable`."""
    text = _text(folder, name)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except RecursionError as error:
        raise UnreadableYaml(
            f"{name}: it is nested too deeply; a city's file needs no more than five levels."
        ) from error
    except yaml.reader.ReaderError as error:
        line, character = text.count("\n", 0, error.position) + 1, f"U+{error.character:04X}"
        raise UnreadableYaml(f"{name}:{line}: the character {character} stands there; leave it out.") from error
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
            raise UnreadableYaml(f"{name}: this is no file; put a file of that name there.")
        if (size := path.stat().st_size) > FILE_BYTES_MAX:
            more = "split the rules into several files in rules/" if name.startswith("rules") else "shorten it"
            raise UnreadableYaml(f"{name}: it has {size} bytes; a city's file has at most {FILE_BYTES_MAX}: {more}.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableYaml(f"{name}: there is no such file in {writable(str(folder))!r}; add it.") from error
    except OSError as error:
        raise UnreadableYaml(f"{name}: it cannot be read ({error.strerror}); make it readable.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start} (0x{content[error.start]:02X}) is not UTF-8"
        raise UnreadableYaml(f"{name}:{line}: {byte}; save the file as UTF-8.") from error


class _Loader(yaml.SafeLoader):
    """Takes no aliases: a few lines of them can stand for more than a machine holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            alias: Any = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=f'"*{alias.anchor}" stands for what is written elsewhere; write it out',
                problem_mark=alias.start_mark,
            )
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _not_yaml(name: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}:{mark.line + 1}" if mark else name
    said = writable(str(error.problem or error.context))
    if "'\\t'" in (error.problem or "") or "tab" in (error.problem or ""):
        return f"{place}: a tab stands where the line is indented; indent with spaces."
    if "another document" in said:
        return f"{place}: a second document begins there; leave out the line '---'."
    if "stands for what" in said:
        return f"{place}: {said}."
    remedy = "put quotes around the text there, or close what was opened before"
    return f"{place}: this is not YAML ({said}); {remedy}."


def _plain(loader: yaml.SafeLoader, node: yaml.Node, name: str, problems: list[str]) -> Any:
    """The values of a node; what cannot be one is added to the problems."""
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
    """Each key once. YAML lets a key stand twice and keeps the last in silence; a city must not lose a line like that."""
    first: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{name}:{_line(key)}: a field's name is a word; write 'field: value'.")
        elif key.value in first:
            says = f"the key {quoted(key.value)} stands twice, first in line {first[key.value]}; keep one of them"
            problems.append(f"{name}:{_line(key)}: {says}.")
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
