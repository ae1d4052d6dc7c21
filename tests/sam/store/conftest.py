"""Stores to test on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtns.sam.store.store import Store

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an empty store stands."""
    place = tmp_path / "sam.sqlite"
    Store.create(place, NOW)
    return place


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An open, empty store."""
    with Store.open(path) as opened:
        yield opened
