"""Reading `dtns.toml`: types, ranges and spelling checked, every fault named with its line."""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
import cattrs

from dtns.gateway.errors import ConditionsError
from dtns.sam.configuration.sections import (
    FAMILIES,
    FAMILY_FIELDS,
    SECTIONS,
    Config,
    objections_to_sockets,
)
from dtns.sam.errors import ConfigError

_TYPE_NAMES: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    Path: "a path in quotes",
}
_HEADER: Final = re.compile(r"\s*\[([^\[\]]+)\]")
_MEMBER: Final = re.compile("[a-z0-9][a-z0-9-]{0,31}")
_KEY: Final = re.compile(r"""\s*([\w."'-]+)\s*=""")
_ALL_SECTIONS: Final = dict.fromkeys((*SECTIONS, *(f"{family}.NAME" for family in FAMILIES)))
_INT64: Final = 1 << 63
_SHOWN: Final = 60


def load_config(path: Path) -> Config:
    """Read a configuration; ConfigError lists all faults: line, key, value, what is allowed."""
    path = path.absolute()
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no configuration at {path}: `dtns init` makes one, -c names another"
        ) from None
    except OSError as fault:
        raise ConfigError(f"cannot read {path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path} is no TOML: {fault}") from None
    return _Reading(path, text).config(table)


class _Reading:
    """One pass over a file: collects faults, and gives the configuration if there are none."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = _lines_of(text)
        self._faults: list[tuple[int, str]] = []

    def config(self, table: dict[str, Any]) -> Config:
        given = dict(_sections_in(table))
        self._look_for_unknown(given)
        values = {
            name.rpartition(".")[2]: self._section(name, kind, given.get(name, {}))
            for name, kind in SECTIONS.items()
        }
        for family, kind in FAMILIES.items():
            values[FAMILY_FIELDS[family]] = {
                name.removeprefix(f"{family}."): self._section(name, kind, section)
                for name, section in given.items()
                if name.startswith(f"{family}.")
            }
        config = Config(self._path, **values)
        for key, objection in objections_to_sockets(config).items():
            self._fault(key, objection)
        if self._faults:
            self._refuse()
        return config

    def _look_for_unknown(self, given: Mapping[str, Any]) -> None:
        for name, section in given.items():
            if name not in SECTIONS and not _is_member(name):
                what = "section" if isinstance(section, dict) else "key outside of the sections"
                self._fault(name, f"unknown {what}{_did_you_mean(name, _ALL_SECTIONS)}")

    def _section(self, name: str, kind: type[Any], given: Any) -> Any:
        if not isinstance(given, dict):
            self._fault(name, f"must be a section: write [{name}]")
            return kind()
        fields = {field.name: field for field in attrs.fields(attrs.resolve_types(kind))}
        values = {}
        for key, value in given.items():
            place = f"{name}.{key}"
            if key not in fields:
                self._fault(place, f"unknown key{_did_you_mean(key, fields)}")
                continue
            try:
                values[key] = _checked(fields[key], value)
            except ValueError as fault:
                self._fault(f"{place} = {_shown(value)}", str(fault), place)
        return self._whole(name, kind(**values))

    def _whole(self, name: str, section: Any) -> Any:
        """Check what a section says only as a whole: a network's conditions."""
        try:
            getattr(section, "conditions", None)
        except ConditionsError as fault:
            for part in str(fault).split("; "):
                self._fault(f"{name}.{part.split()[0]}", part)
        return section

    def _fault(self, what: str, reason: str, key: str | None = None) -> None:
        place = key or what
        while place not in self._lines and "." in place:
            place = place.rpartition(".")[0]
        self._faults.append((self._lines.get(place, 1), f"{what}: {reason}"))

    def _refuse(self) -> NoReturn:
        lines = [f"{self._path}:{line}: {fault}" for line, fault in sorted(self._faults)]
        count = f"{len(lines)} faults" if len(lines) > 1 else "a fault"
        raise ConfigError("\n".join([f"the configuration has {count}", *lines]))


def _sections_in(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the tables of a file by their full names; those that only hold others are left out."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and _holds_sections(name, value):
            yield from _sections_in(value, f"{name}.")
        else:
            yield name, value


def _holds_sections(name: str, table: dict[str, Any]) -> bool:
    if name in FAMILIES:
        return all(isinstance(value, dict) for value in table.values())
    return any(known.startswith(f"{name}.") for known in (*SECTIONS, *FAMILIES))


def _is_member(name: str) -> bool:
    """Tell whether *name* is a section of a family, with a name of its own that is usable."""
    family, _, own = name.rpartition(".")
    return family in FAMILIES and _MEMBER.fullmatch(own) is not None


def _lines_of(text: str) -> dict[str, int]:
    """Return the line of every section and key, by full name."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1].strip()
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            lines.setdefault(f"{section}.{name}" if section else name, number)
    return lines


def _checked(field: attrs.Attribute[Any], value: Any) -> Any:
    """Return *value* as the field's type; ValueError says what is allowed."""
    checked = _CONVERTER.structure(value, field.type)  # type: ignore[arg-type]  # resolved above
    if field.validator is not None:
        try:
            field.validator(None, field, checked)
        except ValueError as fault:
            allowed = str(fault.args[0]).removeprefix(f"'{field.name}' ")
            raise ValueError(allowed.removesuffix(f": {checked}")) from None
    return checked


def _shown(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)[:_SHOWN]


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _strict(kind: type[Any]) -> Any:
    accepted = {float: (int, float), Path: (str,)}.get(kind, (kind,))

    def structure(value: Any, _: Any) -> Any:
        wrong = not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool))
        if wrong or (kind is float and not math.isfinite(value)):
            raise ValueError(f"must be {_TYPE_NAMES[kind]}")
        if kind is int and not -_INT64 <= value < _INT64:
            raise ValueError("is too large a number")
        if kind is Path and (not value or "\0" in value):
            raise ValueError("must be a path")
        return kind(value)

    return structure


_CONVERTER: Final = cattrs.Converter()
for _kind in _TYPE_NAMES:
    _CONVERTER.register_structure_hook(_kind, _strict(_kind))
