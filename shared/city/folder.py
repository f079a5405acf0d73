"""Reads a city from a folder of YAML, or tells everything that is wrong with it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.city.city import City
from shared.city.faults import WORDS, CityError, Fault, Faulty, in_words, nearest, quoted
from shared.city.parsing import city_of, wrong_fields
from shared.city.yaml_file import UnreadableYaml, YamlFile, read

ABOUT = "city.yaml"
ABOUT_FIELDS = ("name", "time_zone")
FILES = (ABOUT, "departments.yaml", "policies.yaml", "rules.yaml")
_KNOWN = f"known are {', '.join(FILES)} and rules/*.yaml"


def load_city(folder: Path) -> City:
    """Read city.yaml, departments.yaml, policies.yaml, and rules.yaml or rules/*.yaml in their names' order.

    Raises `CityError` with a sentence for every problem of every file, each with file and line. What the files must
    agree on is looked at when each of them can be read as YAML.
    """
    return _Reading(folder).city()


class _Reading:
    """One pass over a folder that goes on after a problem, so that all of them can be told at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[str] = []
        self._files: dict[str, YamlFile] = {}
        self._entries: dict[str, list[tuple[YamlFile, int]]] = {listed: [] for listed in WORDS}
        self._complete = True

    def city(self) -> City:
        self._problems += _misnamed(self._folder)
        document: dict[str, Any] = self._about()
        document["departments"] = self._listed("departments", ["departments.yaml"])
        document["rules"] = self._listed("rules", _rule_files(self._folder))
        document["policies"] = self._listed("policies", ["policies.yaml"])
        try:
            city = city_of(document) if self._complete else None
            faults: Sequence[Fault] = () if city else wrong_fields(document)
        except Faulty as error:
            city, faults = None, error.faults
        told = [self._sentence(fault, document) for fault in faults]
        if city is None or self._problems:
            raise CityError([*self._problems, *(one for one in told if one)])
        return city

    def _read(self, file: str) -> YamlFile | None:
        """The file; None, and a problem noted, when there is nothing to be had from it."""
        try:
            found = self._files[file] = read(self._folder, file)
        except UnreadableYaml as error:
            self._problems.append(str(error))
            self._complete = False
            return None
        self._problems += found.problems
        return found

    def _about(self) -> dict[str, Any]:
        file = self._read(ABOUT)
        if file is None:
            return {}
        if not isinstance(file.value, dict):
            self._problems.append(f"{ABOUT}: {quoted(file.value)} is not a mapping; write name and time_zone.")
            del self._files[ABOUT]
            return {}
        for name, value in file.value.items():
            if name not in ABOUT_FIELDS:
                meant = nearest(name, ABOUT_FIELDS, f"known are {', '.join(ABOUT_FIELDS)}")
                says = f"field {quoted(name)[1:-1]}: there is no such field (its value is {quoted(value)}); {meant}"
                self._problems.append(f"{ABOUT}:{file.line((name,))}, {says}.")
        return {name: file.value[name] for name in ABOUT_FIELDS if name in file.value}

    def _listed(self, listed: str, files: Sequence[str]) -> list[Any]:
        """The entries of all these files, one after the other."""
        entries: list[Any] = []
        for name in files:
            file = self._read(name)
            if file is not None and not isinstance(file.value, list):
                says = f"{quoted(file.value)} is not a list; write one entry a {WORDS[listed][0]}, each begun with '- '"
                self._problems.append(f"{name}: {says}.")
                self._complete = False
            elif file is not None:
                entries += file.value
                self._entries[listed] += [(file, at) for at in range(len(file.value))]
        return entries

    def _sentence(self, fault: Fault, document: Any) -> str | None:
        """The fault with file and line; None when it only repeats that a file could not be read."""
        listed, *inner = fault.loc or ("",)
        if listed in WORDS and not inner:
            return f"{listed}.yaml: {fault.says}."
        if listed in WORDS:
            file, at = self._entries[str(listed)][int(inner[0])]
            place = in_words((listed, at, *inner[1:]), {listed: file.value})
            return f"{file.name}:{file.line((at, *inner[1:]))}, {place}: {fault.says}."
        if not fault.loc:
            return fault.sentence(document)
        about = self._files.get(ABOUT)
        return f"{ABOUT}:{about.line(fault.loc)}, {fault.sentence(document)}" if about else None


def _rule_files(folder: Path) -> list[str]:
    single = ["rules.yaml"] if (folder / "rules.yaml").exists() else []
    several = [f"rules/{path.name}" for path in sorted((folder / "rules").glob("*.yaml"))]
    return single + several or ["rules.yaml"]


def _misnamed(folder: Path) -> Iterator[str]:
    """Files that somebody meant to be read and nobody reads."""
    for path in sorted([*folder.glob("*.y*ml"), *folder.glob("rules/*.yml")]):
        name = str(path.relative_to(folder))
        if name in FILES or path.suffix not in (".yaml", ".yml"):
            continue
        if path.suffix == ".yml":
            yield f"{name}: files of a city end in .yaml; rename it."
        else:
            yield f"{name}: no such file belongs to a city; {nearest(name, FILES, _KNOWN)}."
