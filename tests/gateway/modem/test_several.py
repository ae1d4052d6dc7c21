"""Several modems as one carrier: shared load, take-over, and figures by measurement."""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contract import PHONE, RecordingSink, running, until
from modems import BRISK, EmulatorProcess
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from dtns.gateway.carrier import Accepted, Failed, Outbound
from dtns.gateway.modem.card import RefusedPins
from dtns.gateway.modem.carrier import ModemCarrier
from dtns.gateway.modem.session import Settings
from dtns.gateway.modem.timing import USUAL

if TYPE_CHECKING:
    from dtns.gateway.modem.timing import Timing


class SeveralTests(TestCase):
    """Two modems."""

    timeout = 280

    def setUp(self) -> None:
        """Start two emulated modems."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        self.emulators = [EmulatorProcess(self.folder, name) for name in ("one", "two")]
        self.sink = RecordingSink()
        self.carrier = self.make(BRISK)

    def make(self, timing: Timing) -> ModemCarrier:
        """Make the carrier."""
        return ModemCarrier(
            "modem",
            {each.pty.name: (Settings(str(each.pty)), 0) for each in self.emulators},
            self.sink,
            RefusedPins(self.folder / "refused-pins"),
            random=random.Random(1),
            reactor=reactor,
            timing=timing,
        )

    async def tearDown(self) -> None:
        """Stop everything."""
        await self.carrier.stop()
        for each in self.emulators:
            each.stop()

    async def connect(self) -> None:
        """Wait until both modems serve."""
        await self.carrier.start()
        await until(lambda: all(each.connected for each in self.carrier.modems.values()))

    async def test_load_is_shared(self) -> None:
        """Both modems send, and together everything once."""
        await self.connect()
        messages = [Outbound(f"ref-{n}", PHONE, f"answer {n}", 3600) for n in range(100)]
        await gatherResults([running(self.carrier.send(each)) for each in messages])
        sent = [each.sent() for each in self.emulators]
        assert min(map(len, sent)) > 20
        assert sorted(sent[0] + sent[1]) == sorted((PHONE, each.text) for each in messages)

    async def test_take_over(self) -> None:
        """A modem that dies amid a queue leaves its share to the other; nothing goes twice."""
        await self.connect()
        for each in self.emulators:
            each.order("faults", submit_delay=0.01)
        messages = [Outbound(f"ref-{n}", PHONE, f"answer {n}", 3600) for n in range(100)]
        sending = gatherResults([running(self.carrier.send(each)) for each in messages])
        await until(lambda: len(self.emulators[0].sent()) >= 10)
        self.emulators[0].order("unplug")
        answers = await sending
        unsure = [each for each in answers if isinstance(each, Failed)]
        assert len(unsure) <= 1
        assert all(each.maybe_sent for each in unsure)
        sent = [text for each in self.emulators for _, text in each.sent()]
        assert len(sent) == len(set(sent))
        assert len(sent) >= len(messages) - 1

    async def test_replug_is_quick(self) -> None:
        """With the usual times, the first message is served within 3 s of a replug."""
        self.carrier = self.make(USUAL)
        await self.connect()
        figures = []
        emulator, modem = self.emulators[0], self.carrier.modems["one"]
        for number in range(3):
            emulator.order("unplug")
            await until(lambda: not modem.connected)
            emulator.order("deliver", sender=PHONE, text=f"waited {number}")
            emulator.order("replug")
            started = time.monotonic()
            await until(lambda number=number: len(self.sink.messages) > number)
            figures.append(round(time.monotonic() - started, 2))
        self.tell("replug_seconds", figures)
        assert max(figures) < 3.0

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    async def test_memory_and_threads_stay_level(self) -> None:
        """Over 10,000 messages each way memory and threads stay what they were."""
        await self.connect()
        await self.exchange(0, 1_000)
        before, threads = resident(), threading.active_count()
        started = time.monotonic()
        for start in range(1_000, 11_000, 500):
            await self.exchange(start, start + 500)
        self.tell(
            "ten_thousand",
            {
                "seconds": round(time.monotonic() - started, 1),
                "resident_kib": [before, resident()],
                "threads": [threads, threading.active_count()],
            },
        )
        assert threading.active_count() == threads
        assert resident() - before < 24_000

    async def exchange(self, start: int, end: int) -> None:
        """Take in and send so many messages."""
        for number in range(start, end):
            emulator = self.emulators[number % 2]
            emulator.order("deliver", sender=PHONE, text=f"ask {number}")
        messages = [Outbound(f"ref-{n}", PHONE, f"answer {n}", 3600) for n in range(start, end)]
        answers = await gatherResults([running(self.carrier.send(each)) for each in messages])
        assert all(isinstance(each, Accepted) for each in answers)
        await until(lambda: not any(each.stored() for each in self.emulators))
        assert len({each.identity for each in self.sink.messages}) == end - start
        self.sink.messages.clear()

    def tell(self, name: str, figures: object) -> None:
        """Print a figure, for `pytest -s`."""
        print(json.dumps({name: figures}))  # noqa: T201 (asked for)


def resident() -> int:
    """Return this process's resident memory in KiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
