"""What holds for every test.

Hypothesis judges what comes out, never how long it took. Programs that tests start can be ended
by SIGINT even where the tests run in the background of a shell, which has them ignore it.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dtns", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dtns")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A temporary folder with a name short enough for programs that put Unix sockets deep in it."""
    with tempfile.TemporaryDirectory(prefix="dtns-") as folder:
        yield Path(folder)
