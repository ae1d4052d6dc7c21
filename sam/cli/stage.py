"""The demo's stage: a network, a Sam and phones, each a process of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from attrs import define, field

from dtns.sam.errors import UnreachableError

_DTNS: Final = (sys.executable, "-m", "dtns.sam")
_STOP_SECONDS: Final = 10


@define
class Stage:
    """Starts and stops the demo's processes in *folder*, which `dtns init` has furnished.

    With *modem*, the network has a GSM modem at that path, too.
    """

    folder: Path
    seed: int
    modem: Path | None = None
    _network: subprocess.Popen[str] | None = None
    _sam: subprocess.Popen[str] | None = None
    _phones: dict[Path, subprocess.Popen[str]] = field(factory=dict, init=False)
    processes: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop_network()
        for process in (*self._phones.values(), self._sam):
            _stop(process)

    @property
    def endpoint(self) -> str:
        """Where the network listens."""
        return f"unix:{self.folder / 'network.sock'}"

    def start_network(self, *conditions: str) -> None:
        """Start the network under these conditions, as options of `dtns network`."""
        options = ["--endpoint", self.endpoint, "--seed", str(self.seed)]
        if self.modem is not None:
            options += ["--modem-pty", str(self.modem)]
        self._network = self._start("network", *options, *conditions)

    def stop_network(self) -> None:
        """Take the network away: from here on no phone has signal, and Sam hears nothing."""
        _stop(self._network)
        self._network = None

    def start_sam(self) -> None:
        """Start Sam and wait until it is ready."""
        self._sam = self._start("serve", *self._config)

    def enrol(self, *numbers: str) -> list[Path]:
        """Have the running Sam enrol these numbers and return their SIM files."""
        sims = self.folder / "sims"
        code, facts = self._run("enrol", *self._config, "--out", str(sims), "--json", *numbers)
        if code:
            raise UnreachableError(f"enrolment failed: {facts.get('message', facts)}")
        paths = [sims / f"{number.removeprefix('+')}.sim" for number in numbers]
        for path in paths:
            self._switch_on(path)
        return paths

    def load(self, number: str, amount: str) -> None:
        """Have Sam put money into a purse."""
        code, facts = self._run("ledger", "load", *self._config, "--json", number, amount)
        if code:
            raise UnreachableError(f"the load failed: {facts.get('message', facts)}")

    def phone(self, sim: Path, *step: str, typed: str = "") -> tuple[int, dict[str, Any]]:
        """Take one step on a phone and return its exit code and what it printed.

        typed is what the person types when asked, such as a PIN.
        """
        process = self._phones[sim]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(shlex.join(step) + "\n" + (f"{typed}\n" if typed else ""))
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise UnreachableError(f"the phone of {sim.name} went off at `{step[0]}`")
        told: dict[str, Any] = json.loads(line)
        return told["exit"], told["result"]

    def _switch_on(self, sim: Path) -> None:
        """Start a phone that takes steps from its standard input."""
        self.processes += 1
        self._phones[sim] = subprocess.Popen(  # noqa: S603 (our own command)
            [*_DTNS, "phone", str(sim), "--network", self.endpoint, "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def _config(self) -> tuple[str, str]:
        return ("-c", str(self.folder / "dtns.toml"))

    def _run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self.processes += 1
        done = subprocess.run([*_DTNS, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
        if not done.stdout.strip():
            raise UnreachableError(f"dtns {arguments[0]} failed: {done.stderr.strip()}")
        facts: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, facts

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a server and wait for the line that says it is ready; stderr goes on to a log."""
        self.processes += 1
        log = self.folder / f"{arguments[0]}.log"
        with log.open("a") as sink:
            start = sink.tell()
            process = subprocess.Popen([*_DTNS, *arguments], stderr=sink, text=True)  # noqa: S603 (our own command)
        _await_ready(process, log, start)
        return process


def _await_ready(process: subprocess.Popen[str], log: Path, start: int) -> None:
    while process.poll() is None:
        for line in log.read_text()[start:].splitlines():
            if '"ready"' in line:
                return
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    raise UnreachableError(f"dtns did not start: {log.read_text()[start:].strip()}")


def _stop(process: subprocess.Popen[str] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
