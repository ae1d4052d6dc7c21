"""Sam under test: a real `dtns serve` on one core, its network played by askers on the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).parents[1] / "equipment"))
from askers import FIRST_NUMBER, Askers, Run
from deployment import deploy
from figures import cpu_seconds, on_core, resident_kib, tell
from kdc import Round
from loopback_framing import LoopbackFraming
from smpp_framing import SmppFraming

from dtns.sam.configuration import load_config
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import MAX_BATCH, Enrol, Enrolments

WINDOW = 256
FRAMINGS = {"smpp": SmppFraming, "loopback": LoopbackFraming}
_SETTINGS = """\
[network]
embedded = false

[policy]
asks_per_day = {asks_per_day}

"""


class Stand:
    """A deployment with so many parties, Sam serving it, and the phones that ask.

    Every check is on; only the policy's asks a day are raised, for phones here ask faster than
    people. *framing* is of FRAMINGS; *environment* is Sam's besides its own, *sections* go into its
    configuration.
    """

    def __init__(
        self,
        folder: Path,
        parties: int,
        cores: tuple[int, int],
        *,
        framing: str = "smpp",
        asks_per_day: int = 5000,
        environment: Mapping[str, str] | None = None,
        sections: str = "",
    ) -> None:
        self.deployment = deploy(folder)
        self.deployment.environment.update(environment or {})
        self.framing = FRAMINGS[framing](folder, WINDOW)
        settings = _SETTINGS.format(asks_per_day=asks_per_day) + sections
        settings += self.framing.settings
        self.deployment.config.write_text(settings)
        enrol(self.deployment.config, parties)
        self._core, load_core = cores
        self._stack = ExitStack()
        arguments = folder / "master.key", parties, load_core, self.framing
        self.askers = self._stack.enter_context(Askers(*arguments))
        try:
            self._sam = self._stack.enter_context(self._serve())
            self.askers.attach()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @contextmanager
    def _serve(self) -> Iterator[subprocess.Popen[str]]:
        with on_core(self._core):
            process = self.deployment.start()
        try:
            yield process
        finally:
            process.terminate()
            process.wait()

    @property
    def pid(self) -> int:
        """Sam's process."""
        return self._sam.pid

    @property
    def resident_kib(self) -> int:
        """Sam's resident memory."""
        return resident_kib(self._sam.pid)

    @property
    def cpu_seconds(self) -> float:
        """CPU time that Sam has used."""
        return cpu_seconds(self._sam.pid)

    def run(self, asks: int, window: int = WINDOW, *, forged: bool = False) -> tuple[Run, Round]:
        """Have so many asks decided on, and their answers checked."""
        go = self.askers.run(asks, window, forged=forged)
        before = self.cpu_seconds
        run = go()
        cpu = self.cpu_seconds - before
        self.askers.check()
        return run, Round(run.asks / run.seconds, 1e6 * cpu / run.asks)

    def round(self, asks: int, window: int = WINDOW, *, forged: bool = False) -> Round:
        """Return what deciding on so many asks took."""
        return self.run(asks, window, forged=forged)[1]


def enrol(config: Path, parties: int) -> None:
    """Enrol so many parties, and write no SIM files: the askers derive the keys themselves."""
    numbers = (Number(str(FIRST_NUMBER + index)) for index in range(parties))
    done = 0
    with reach(load_config(config)) as sam:
        while batch := tuple(islice(numbers, MAX_BATCH)):
            assert isinstance(sam.answer(Enrol(batch)), Enrolments)
            done += len(batch)
            if done % 100_000 == 0:
                tell(f"{done} parties are enrolled")
