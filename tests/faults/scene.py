"""The scene of the faults: `dtns network`, a wire with a tap in it, `dtns serve`, and SIM files.

All are processes of their own. Sam runs as the real command, or, where its disk is to fail, as a
fork that goes the same way from `dtns.sam.service.running.serve` on.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
import osdisk
import sqlitedisk
from deployment import DTNS, Deployment, deploy
from disk import Disk, Fault

import dtns.sam.service.server  # so that forks need not  # noqa: F401
from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.wire import encode
from dtns.sam.cli.main import dtns as dtns_command

READY_SECONDS = 30.0
STOP_SECONDS = 30.0
_SETTINGS = {
    "embedded = true": "embedded = false",
    "asks_per_day = 50": "asks_per_day = 10000",
    "repeats_per_day = 100": "repeats_per_day = 100000",
    "repeats_per_ask = 32": "repeats_per_ask = 1000",
}


class Process:
    """A child that says `ready` in its log; started by a command or as a fork."""

    def __init__(self, pid: int, log: Path, begin: int) -> None:
        self.pid = pid
        self._log, self._begin = log, begin
        self._code: int | None = None

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is None

    @property
    def code(self) -> int | None:
        """Its exit code, or the negative number of the signal that ended it; None if it runs."""
        return None if self.alive else self._code

    @property
    def log(self) -> str:
        """What it has said."""
        with self._log.open() as text:
            text.seek(self._begin)
            return text.read()

    def ready(self, seconds: float = READY_SECONDS) -> bool:
        """Wait until it is ready; False if it ended instead."""
        deadline = time.monotonic() + seconds
        while '"ready"' not in self.log:
            if not self.alive:
                return False
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)
        return True

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Return the exit code once it has ended."""
        deadline = time.monotonic() + seconds
        while self.alive:
            assert time.monotonic() < deadline, f"process {self.pid} goes on: {self.log}"
            time.sleep(0.005)
        assert self._code is not None
        return self._code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it has not ended."""
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> bool:
        """End it by SIGKILL; tell whether that did it."""
        self.signal(signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def limit_files(self, octets: int) -> None:
        """Let none of its files grow beyond so many octets; -1 for no limit, as it was before."""
        hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)[1]
        if self.alive:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (octets, hard))


class Scene:
    """Network, tap and Sam in *folder*; what is still running at the end is killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.deployment: Deployment = deploy(folder / "d")
        text = self.deployment.config.read_text()
        for old, new in _SETTINGS.items():
            assert old in text, old
            text = text.replace(old, new)
        old = '# endpoint = "tcp:127.0.0.1:7700"'
        assert old in text, old
        self.deployment.config.write_text(text.replace(old, f'endpoint = "{self.sams_line}"'))
        self.tap_log = folder / "tap.jsonl"
        self.tap_log.touch()
        self._processes: list[Process] = []
        self.network = self.start_network()
        tap = (str(Path(__file__).with_name("tap.py")), self.sams_line, self.air)
        self.tap = self._command("tap", sys.executable, *tap, str(self.tap_log))
        assert self.tap.ready(), self.tap.log
        self.sam = self.start_sam()
        assert self.sam.ready(), self.sam.log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in reversed(self._processes):
            process.kill()

    @property
    def air(self) -> str:
        """Where phones attach."""
        return f"unix:{self.folder / 'air'}"

    @property
    def sams_line(self) -> str:
        """Where Sam attaches: the tap."""
        return f"unix:{self.folder / 'tap'}"

    @property
    def sims(self) -> Path:
        """The folder of the SIM files."""
        return self.deployment.folder / "sims"

    @property
    def store(self) -> Path:
        """Sam's store."""
        return self.deployment.folder / "dtns.sqlite"

    def enrol(self, numbers: list[str]) -> list[Path]:
        """Enrol parties with the running Sam and return their SIM files."""
        return self.deployment.enrol_csv(numbers)

    def start_network(self) -> Process:
        """Start the network and wait until it is ready."""
        options = ("--endpoint", self.air, "--delay", "0.005", "--seed", str(self.seed))
        self.network = self._command("network", *DTNS, "network", *options)
        assert self.network.ready(), self.network.log
        return self.network

    def start_sam(self) -> Process:
        """Start `dtns serve`; it is not ready yet."""
        self.sam = self._command("sam", *DTNS, "serve", "-c", str(self.deployment.config))
        return self.sam

    def fork_sam(self, fault: Fault | None) -> Process:
        """Start Sam on a disk that fails; it is not ready yet."""
        self.sam = self.fork("sam", lambda: self._serve(fault))
        return self.sam

    def fork_enrolment(self, fault: Fault | None, numbers: Sequence[str]) -> Process:
        """Run `dtns enrol` on a disk that fails."""
        table = self.folder / "enrolment.csv"
        table.write_text("\n".join(("number", *numbers, "")))
        options = ("-c", str(self.deployment.config), "--out", str(self.sims))
        command = ("enrol", *options, "--csv", str(table))
        return self.fork("enrolment", lambda: self._enrol(fault, command))

    def _enrol(self, fault: Fault | None, command: Sequence[str]) -> None:
        disk = Disk(self.deployment.folder.parent, fault)
        osdisk.install(disk)
        sqlitedisk.install(disk)
        assert not dtns_command.main(list(command), standalone_mode=False)

    def change_network(self, **changes: Any) -> None:
        """Change what the network does to messages."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(self.air.removeprefix("unix:"))
            line.sendall(encode(op.Faults(**changes)))
            assert line.recv(4096)

    def _serve(self, fault: Fault | None) -> None:
        """Be Sam, from here to the end of the process."""
        disk = Disk(self.folder, fault)
        osdisk.install(disk)
        sqlitedisk.install(disk)
        from dtns.sam.configuration.loading import load_config  # noqa: PLC0415 (disk first)
        from dtns.sam.service.running import serve  # noqa: PLC0415 (makes this process's reactor)

        try:
            serve(load_config(self.deployment.config))
        finally:
            os.write(2, f'{{"event": "disk", "steps": {disk.steps}}}\n'.encode())

    def _command(self, name: str, *command: str) -> Process:
        log, begin = self._log(name)
        with log.open("a") as sink:
            child = subprocess.Popen(command, stderr=sink, stdout=sink, stdin=subprocess.DEVNULL)
        child.returncode = 0  # this class waits for it, not Popen
        return self._known(Process(child.pid, log, begin))

    def fork(self, name: str, work: Callable[[], object]) -> Process:
        """Do *work* in a fork, which then ends: with 0, or 4 and a line in the log if it fails."""
        log, begin = self._log(name)
        pid = os.fork()
        if pid:
            return self._known(Process(pid, log, begin))
        code = 4
        try:
            sink = os.open(log, os.O_WRONLY | os.O_APPEND)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            work()
            code = 0
        except BaseException as fault:  # noqa: BLE001 (its own process ends here)
            os.write(2, f"{type(fault).__name__}: {fault}\n".encode())
        finally:
            os._exit(code)

    def _log(self, name: str) -> tuple[Path, int]:
        log = self.folder / f"{name}.log"
        log.touch()
        return log, log.stat().st_size

    def _known(self, process: Process) -> Process:
        self._processes = [known for known in self._processes if known.alive]
        self._processes.append(process)
        return process


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of a file of lines, but for a last one cut short."""
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]
