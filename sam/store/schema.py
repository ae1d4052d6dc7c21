"""Which shapes a store may have: the current schema and the way to it from older ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from attrs import frozen

APPLICATION_ID: Final = 0x64746E73
"""`dtns` in ASCII: marks an SQLite file as one of ours."""


@frozen
class Schema:
    """A version, the script that creates it, and for each version the upgrade from the one before.

    Scripts hold no transaction statements of their own.
    """

    version: int
    creation: str
    upgrades: Mapping[int, str]


def load_schema(folder: Traversable) -> Schema:
    """Read the newest `schema-vN.sql` of *folder* and every `upgrade-to-vN.sql`."""
    creations = _scripts(folder, r"schema-v(\d+)\.sql")
    version = max(creations)
    return Schema(version, creations[version], _scripts(folder, r"upgrade-to-v(\d+)\.sql"))


def current_schema() -> Schema:
    """Return the schema that this version of dtns works on."""
    return load_schema(files("dtns.sam.store"))


def _scripts(folder: Traversable, pattern: str) -> dict[int, str]:
    found = ((re.fullmatch(pattern, entry.name), entry) for entry in folder.iterdir())
    return {int(name[1]): entry.read_text(encoding="utf-8") for name, entry in found if name}
