"""Reads a city from a folder of YAML files, or reports every problem in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.city.city import City
from shared.city.faults import WORDS, CityError, Fault, Faulty, in_words, nearest, quoted
from shared.city.parsing import city_of, field_faults
from shared.city.yaml_file import UnreadableYaml, YamlFile, read

CITY_FILE = "city.yaml"
CITY_FIELDS = ("name", "time_zone", "telephone", "emergency", "scope", "privacy")
CALENDARS_FILE = "calendars.yaml"
TEXTS_FILE = "texts.yaml"
FILES = (CITY_FILE, "departments.yaml", "policies.yaml", "rules.yaml", CALENDARS_FILE, TEXTS_FILE)
_KNOWN_FILES = f"known files are {', '.join(FILES)}, rules/*.yaml and texts/*.yaml"


def load_city(folder: Path) -> City:
    """Read city.yaml, departments.yaml, policies.yaml, and rules.yaml or rules/*.yaml in the order of their names.

    calendars.yaml is optional, and so are texts.yaml and texts/*.yaml.

    Raises `CityError` with a sentence for every problem, each with file and line. References between files are checked
    only when every file is valid YAML.
    """
    return _FolderReader(folder).city()


class _FolderReader:
    """Reads a folder and continues after a problem, so that one run reports all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[str] = []
        self._files: dict[str, YamlFile] = {}
        self._entries: dict[str, list[tuple[YamlFile, int]]] = {listed: [] for listed in WORDS}
        self._complete = True

    def city(self) -> City:
        self._problems += _misnamed(self._folder)
        document: dict[str, Any] = self._city_fields()
        document["departments"] = self._listed("departments", ["departments.yaml"])
        document["rules"] = self._listed("rules", _rule_files(self._folder))
        document["policies"] = self._listed("policies", ["policies.yaml"])
        document["calendars"] = self._listed("calendars", _optional_file(self._folder, CALENDARS_FILE))
        document["texts"] = self._listed("texts", _text_files(self._folder))
        try:
            city = city_of(document) if self._complete else None
            faults: Sequence[Fault] = () if city else field_faults(document)
        except Faulty as error:
            city, faults = None, error.faults
        sentences = [self._sentence(fault, document) for fault in faults]
        if city is None or self._problems:
            raise CityError([*self._problems, *(one for one in sentences if one)])
        return city

    def _read(self, file: str) -> YamlFile | None:
        """The file; None, with the problem recorded, when it cannot be read."""
        try:
            found = self._files[file] = read(self._folder, file)
        except UnreadableYaml as error:
            self._problems.append(str(error))
            self._complete = False
            return None
        self._problems += found.problems
        return found

    def _city_fields(self) -> dict[str, Any]:
        file = self._read(CITY_FILE)
        if file is None:
            return {}
        if not isinstance(file.value, dict):
            self._problems.append(f"{CITY_FILE}: {quoted(file.value)} is not a mapping; write name and time_zone.")
            del self._files[CITY_FILE]
            return {}
        for name, value in file.value.items():
            if name not in CITY_FIELDS:
                remedy = nearest(name, CITY_FIELDS, f"known are {', '.join(CITY_FIELDS)}")
                fault = f"field {quoted(name)[1:-1]}: there is no such field (its value is {quoted(value)}); {remedy}."
                self._problems.append(f"{CITY_FILE}:{file.line((name,))}, {fault}")
        return {name: file.value[name] for name in CITY_FIELDS if name in file.value}

    def _listed(self, listed: str, files: Sequence[str]) -> list[Any]:
        entries: list[Any] = []
        for name in files:
            file = self._read(name)
            if file is not None and not isinstance(file.value, list):
                entry = WORDS[listed][0]
                fault = f"{quoted(file.value)} is not a list; write one entry for each {entry}, beginning with '- '."
                self._problems.append(f"{name}: {fault}")
                self._complete = False
            elif file is not None:
                entries += file.value
                self._entries[listed] += [(file, at) for at in range(len(file.value))]
        return entries

    def _sentence(self, fault: Fault, document: Any) -> str | None:
        """The fault with file and line; None for a field of a file whose own problem is already reported."""
        listed, *inner = fault.loc or ("",)
        if listed in WORDS and not inner:
            return f"{listed}.yaml: {fault.says}."
        if listed in WORDS:
            file, at = self._entries[str(listed)][int(inner[0])]
            place = in_words((listed, at, *inner[1:]), {listed: file.value})
            return f"{file.name}:{file.line((at, *inner[1:]))}, {place}: {fault.says}."
        if not fault.loc:
            return fault.sentence(document)
        city_file = self._files.get(CITY_FILE)
        return f"{CITY_FILE}:{city_file.line(fault.loc)}, {fault.sentence(document)}" if city_file else None


def _rule_files(folder: Path) -> list[str]:
    single = ["rules.yaml"] if (folder / "rules.yaml").exists() else []
    several = [f"rules/{path.name}" for path in sorted((folder / "rules").glob("*.yaml"))]
    return single + several or ["rules.yaml"]


def _optional_file(folder: Path, file: str) -> list[str]:
    path = folder / file
    return [file] if path.exists() or path.is_symlink() else []


def _text_files(folder: Path) -> list[str]:
    several = [f"texts/{path.name}" for path in sorted((folder / "texts").glob("*.yaml"))]
    return _optional_file(folder, TEXTS_FILE) + several


def _misnamed(folder: Path) -> Iterator[str]:
    """A sentence for each YAML file that would be ignored because of its name."""
    for path in sorted([*folder.glob("*.y*ml"), *folder.glob("rules/*.yml"), *folder.glob("texts/*.yml")]):
        name = str(path.relative_to(folder))
        if name in FILES or path.suffix not in (".yaml", ".yml"):
            continue
        if path.suffix == ".yml":
            yield f"{name}: a city's files must end in .yaml; rename the file."
        else:
            yield f"{name}: a city has no file of that name; {nearest(name, FILES, _KNOWN_FILES)}."
