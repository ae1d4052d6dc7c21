"""A real operator's SMSC: Osmocom's, as Debian has it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).with_name("operator_core.py")
PROGRAMS = ("osmo-stp", "osmo-hlr", "osmo-msc", "cc")
INSTALL = "apt-get install -y --no-install-recommends osmo-stp osmo-hlr osmo-msc gcc libc6-dev"
UNSHARE = ("unshare", "--net")


def missing() -> str:
    """Return the line that installs what is not there; empty if all is."""
    return "" if all(map(shutil.which, PROGRAMS)) else INSTALL


def may_unshare() -> bool:
    """Tell whether a network namespace of one's own can be had."""
    return shutil.which("unshare") is not None and not subprocess.call(
        [*UNSHARE, "true"], stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=INSTALL)
@pytest.mark.skipif(not may_unshare(), reason="no network namespaces: run as root")
def test_bind_and_submit() -> None:
    """It takes binds and submissions, again after its restart; constant ids are told apart."""
    done = subprocess.run(
        [*UNSHARE, sys.executable, str(CORE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    figures = json.loads(done.stdout)
    assert (figures["binds"], figures["sent"], figures["failed"]) == (2, 6, 0)
    assert {kind for kind, _ in figures["answers"]} == {"Accepted"}
    assert len({name for _, name in figures["answers"]}) == 6
    assert figures["signalling"]
