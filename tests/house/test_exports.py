"""The public face of the codecs room, and a version that the package itself tells."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest

import dtns
from dtns.codecs import digits


def test_the_codecs_room_has_one_face() -> None:
    """These names are promised; another one is a decision, not an accident."""
    assert set(digits.__all__) == {
        *("MAX_PARITY", "PROFILES", "Profile", "Reading", "Status"),
        *("decode", "encode", "parity_groups", "show"),
    }
    assert all(hasattr(digits, name) for name in digits.__all__)


def test_the_installed_version_is_the_one_in_the_source() -> None:
    """Metadata and source agree wherever the package is installed."""
    try:
        installed = version("dtns")
    except PackageNotFoundError:
        pytest.skip("dtns is not installed: python -m pip install -e .")
    assert installed == dtns.__version__
