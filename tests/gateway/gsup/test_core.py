"""USSD through an HLR that nobody here wrote, in a network namespace of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

CORE = Path(__file__).with_name("core.py")
INSTALL = "apt-get install -y --no-install-recommends osmo-hlr iproute2 (and unshare as root)"


@cache
def installed() -> bool:
    """Tell whether there is an HLR, and a namespace can be made."""
    if shutil.which("osmo-hlr") is None or shutil.which("ip") is None:
        return False
    made = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return made.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not installed(), reason=INSTALL)
def test_the_menu_through_an_hlr() -> None:
    """A key asked for, a caller without a number, junk, typed ahead, and the HLR begun again."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, str(CORE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts.pop("stranger").startswith("Not accepted.")
    assert facts == {
        "first": "Keys by Sam",
        "key": 1,
        "bye": "END Goodbye.",
        "junk": "ERROR",
        "ahead": "Request 3 is taken. The answer comes by SMS.",
        "after_restart": "Request 3 is taken. The answer comes by SMS.",
    }
