"""A real deployment for tests: `dtns init`, `dtns serve`, `dtns enrol` as subprocesses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DTNS = (sys.executable, "-m", "dtns.sam")
START_SECONDS = 30
STOP_SECONDS = 30


def dtns(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one dtns command to its end."""
    return subprocess.run(
        [*DTNS, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON object that a command printed."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, (done.stdout, done.stderr)
    facts: dict[str, Any] = json.loads(lines[0])
    return facts


@dataclass
class Deployment:
    """A folder that `dtns init` made; `dtns serve` runs with *environment* besides its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "dtns.toml"

    def conditions(self, **values: float) -> None:
        """Set the embedded network's conditions in the configuration."""
        lines = self.config.read_text().splitlines()
        start = lines.index("[network]")
        for key, value in values.items():
            place = next(
                (i for i in range(start, len(lines)) if lines[i].lstrip("# ").startswith(key)),
                None,
            )
            assert place is not None, key
            lines[place] = f"{key} = {value}"
        self.config.write_text("\n".join(lines) + "\n")

    def enrol(self, *numbers: str) -> list[Path]:
        """Enrol parties and return their SIM files."""
        sims = self.folder / "sims"
        done = dtns("enrol", "-c", str(self.config), "--out", str(sims), "--json", *numbers)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return [sims / f"{number.removeprefix('+')}.sim" for number in numbers]

    def enrol_csv(self, numbers: list[str]) -> list[Path]:
        """Enrol many parties from a CSV file and return their SIM files."""
        table = self.folder / "parties.csv"
        table.write_text("number\n" + "\n".join(numbers) + "\n")
        sims = self.folder / "sims"
        options = ("--out", str(sims), "--csv", str(table), "--json")
        done = dtns("enrol", "-c", str(self.config), *options)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return [sims / f"{number.removeprefix('+')}.sim" for number in numbers]

    @contextmanager
    def sam(self) -> Iterator[subprocess.Popen[str]]:
        """Run `dtns serve` from ready to SIGTERM, and insist that it stops with exit code 0."""
        process = self.start()
        try:
            yield process
        finally:
            process.terminate()
            code = process.wait(STOP_SECONDS)
        assert code == 0, self.log

    def start(self) -> subprocess.Popen[str]:
        """Start `dtns serve` and return once it says that it is ready."""
        begin = len(self.log)
        with (self.folder / "serve.log").open("a") as sink:
            process = subprocess.Popen(
                [*DTNS, "serve", "-c", str(self.config)],
                stderr=sink,
                text=True,
                env={**os.environ, **self.environment},
            )
        deadline = time.monotonic() + START_SECONDS
        while '"ready"' not in self.log[begin:]:
            assert process.poll() is None, self.log[begin:]
            assert time.monotonic() < deadline, self.log[begin:]
            time.sleep(0.02)
        return process

    @property
    def log(self) -> str:
        """What all runs of `dtns serve` have written to stderr."""
        path = self.folder / "serve.log"
        return path.read_text() if path.exists() else ""


def deploy(folder: Path) -> Deployment:
    """Make a deployment in *folder*."""
    done = dtns("init", str(folder))
    assert done.returncode == 0, done.stderr
    return Deployment(folder)
