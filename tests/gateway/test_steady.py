"""Timers that go on whatever happens to the computer's clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from diskfaults import Faults, compiler

import dtns

PROGRAM = """
import sys, threading, os
from pathlib import Path
from twisted.internet import reactor
from dtns.gateway.steady import use_steady_clock
if sys.argv[1] == "steady":
    use_steady_clock(reactor)
def fired():
    print("fired")
    reactor.stop()
def set_back():
    Path(os.environ["DTNS_FAULTS"]).write_text("clock -630720000\\n")
reactor.callLater(0.6, fired)
threading.Timer(0.2, set_back).start()
threading.Timer(3, lambda: os._exit(1)).start()
reactor.run()
os._exit(0)
"""


@pytest.mark.skipif(not compiler(), reason="apt-get install gcc libc6-dev")
@pytest.mark.parametrize(("clock", "code"), [("steady", 0), ("twisted's own", 1)])
def test_a_clock_set_back_by_years_holds_no_timer_up(tmp_path: Path, clock: str, code: int) -> None:
    """With the steady clock a timer fires in its time; with Twisted's own it hangs."""
    environment = {
        **os.environ,
        **Faults(tmp_path, "nothing").environment,
        "PYTHONPATH": str(Path(dtns.__file__).parents[1]),
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM, clock], env=environment, check=False)
    assert done.returncode == code
