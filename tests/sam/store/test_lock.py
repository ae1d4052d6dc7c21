"""The lock that makes a Sam the only one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dtns.sam.errors import StoreError
from dtns.sam.store.lock import StoreInUseError, StoreLock

HOLD = """
import sys, time
from pathlib import Path
from dtns.sam.store.lock import StoreLock
StoreLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    """The refusal names the process that holds the lock."""
    path = tmp_path / "lock"
    with StoreLock(path), pytest.raises(StoreInUseError, match=f"process {os.getpid()} "):
        StoreLock(path).acquire()
    with StoreLock(path):
        assert path.stat().st_mode & 0o077 == 0


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    """The lock dies with its process, however that dies."""
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUseError, match=f"process {holder.pid}"):
            StoreLock(path).acquire()
        holder.send_signal(signal.SIGKILL)
    with StoreLock(path):
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A missing folder is a plain message."""
    with pytest.raises(StoreError, match="cannot open the lock"):
        StoreLock(tmp_path / "no" / "lock").acquire()


def test_releasing_twice_is_no_fault(tmp_path: Path) -> None:
    """Release may be called again."""
    lock = StoreLock(tmp_path / "lock")
    lock.acquire()
    lock.release()
    lock.release()
