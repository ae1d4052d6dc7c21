"""SIGKILL at random points under load, among a network's and a disk's other troubles."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from random import Random

from ledger import Ledger
from pair import Pair, any_wish
from scene import Process, Scene

from dtns.sam.handset.exchanges import Wish

ASKS_A_PAIR = 150
BURST = 6
CALM_SECONDS = 60.0
_ALL_STRIKES = 40
_ROUGH = {"loss": 0.15, "duplication": 0.2, "reordering": 0.3, "hold": 0.1}
_PERFECT = {"loss": 0.0, "duplication": 0.0, "reordering": 0.0}


class Storm:
    """Lets pairs of people live while processes are killed; counts what was done to them.

    What is done, and when, follows from *dice*; what it meets does not.
    """

    def __init__(self, scene: Scene, pairs: list[Pair], ledger: Ledger, dice: Random) -> None:
        self._scene, self._pairs, self._ledger, self._dice = scene, pairs, ledger, dice
        self._lives: Counter[int] = Counter()
        self.killed: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.asks = 0

    @property
    def kills(self) -> int:
        """How many processes were ended by SIGKILL."""
        return self.killed.total()

    def rage(self, kills: int, progress: Callable[[int], None]) -> None:
        """Go on until so many processes were killed."""
        strikes = {
            self._kill_sam: 8,
            self._kill_starting_sam: 3,
            self._kill_phones: 6,
            self._kill_network: 2,
            self._stall_network: 1,
            self._stall_sam: 1,
            self._cut_line: 2,
            self._deafen_line: 1,
            self._lock_store: 1,
            self._fill_disk: 1,
            self._lose_signal: 1,
            self._rough_weather: 2,
        }
        each = list(strikes) if kills >= _ALL_STRIKES else []
        self._dice.shuffle(each)
        while self.kills < kills:
            (strike,) = self._dice.choices(list(strikes), list(strikes.values()))
            if each:
                strike = each.pop()
            people = self._burst()
            strike(people)
            for person, _ in people:
                person.wait()
            self._ledger.look(pair for _, pair in people)
            progress(self.kills)

    def calm_down(self) -> None:
        """Give everything back, and let all pairs come to the end of what they began."""
        self._scene.change_network(**_PERFECT, signal=True)
        deadline = time.monotonic() + CALM_SECONDS
        open_pairs = list(self._pairs)
        while open_pairs and time.monotonic() < deadline:
            for pair in open_pairs:
                pair.life(self._wish(pair), 5.0)
            self._ledger.look(open_pairs)
            open_pairs = [pair for pair in open_pairs if not pair.confirmed()]

    def _wish(self, pair: Pair) -> Wish:
        index = self._pairs.index(pair)
        return any_wish(Random(f"{self._scene.seed} {index} {self._lives[index]}"))

    def _burst(self) -> list[tuple[Process, Pair]]:
        """Let some pairs go on with their lives, each in a process of its own."""
        chosen = self._dice.sample(self._pairs, min(BURST, len(self._pairs)))
        for pair in chosen:
            if pair.confirmed():
                self._lives[self._pairs.index(pair)] += 1
        self.asks += len(chosen)
        return [(self._live(pair), pair) for pair in chosen]

    def _live(self, pair: Pair) -> Process:
        wish, anew = self._wish(pair), pair.confirmed()
        patience = self._dice.uniform(0.2, 1.0)
        return self._scene.fork("people", lambda: bool(pair.life(wish, patience, anew=anew)))

    def _pause(self, longest: float) -> None:
        time.sleep(self._dice.uniform(0, longest))

    def _kill_sam(self, _: object) -> None:
        self._pause(0.15)
        self.killed["sam"] += self._scene.sam.kill()
        assert self._scene.start_sam().ready(), self._scene.sam.log

    def _kill_starting_sam(self, _: object) -> None:
        """Kill Sam, then the next one while it starts: recovery has to stand it, too."""
        self._pause(0.05)
        self.killed["sam"] += self._scene.sam.kill()
        self._scene.start_sam()
        time.sleep(self._dice.uniform(0.2, 1.2))
        self.killed["sam"] += self._scene.sam.kill()
        assert self._scene.start_sam().ready(), self._scene.sam.log

    def _kill_phones(self, people: Iterable[tuple[Process, Pair]]) -> None:
        self._pause(0.06)
        for person, _ in people:
            self.killed["phone"] += person.kill()
            self._pause(0.02)

    def _kill_network(self, _: object) -> None:
        """The network forgets all that it carried: phones repeat, Sam sends again what is open."""
        self._pause(0.1)
        self.killed["network"] += self._scene.network.kill()
        self._scene.start_network()

    def _stall_network(self, _: object) -> None:
        self._suspend(self._scene.network)

    def _stall_sam(self, _: object) -> None:
        self._suspend(self._scene.sam)

    def _suspend(self, process: Process) -> None:
        self.troubles["stalls"] += 1
        self._pause(0.05)
        process.signal(signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.1, 0.8))
        process.signal(signal.SIGCONT)

    def _cut_line(self, _: object) -> None:
        """Break Sam's connection in the middle of whatever is on it."""
        self.troubles["line cuts"] += 1
        self._pause(0.1)
        self._scene.tap.signal(signal.SIGUSR1)

    def _deafen_line(self, _: object) -> None:
        self.troubles["partitions"] += 1
        self._pause(0.05)
        self._scene.tap.signal(signal.SIGUSR2)
        time.sleep(self._dice.uniform(0.1, 0.8))
        if self._dice.random() < 0.5:
            self._scene.tap.signal(signal.SIGUSR1)
        self._scene.tap.signal(signal.SIGUSR2)

    def _lose_signal(self, _: object) -> None:
        self.troubles["outages"] += 1
        self._scene.change_network(signal=False)
        self._pause(0.8)
        self._scene.change_network(signal=True)

    def _rough_weather(self, _: object) -> None:
        """The network loses, repeats and reorders for as long as these people live."""
        self.troubles["rough weather"] += 1
        self._scene.change_network(**_ROUGH)
        self._pause(0.5)
        self._scene.change_network(**_PERFECT)

    def _lock_store(self, _: object) -> None:
        """Another program holds the store; Sam may even start, or be refused, meanwhile."""
        self.troubles["locked store"] += 1
        self._pause(0.05)
        with closing(sqlite3.connect(self._scene.store, timeout=5, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            if self._dice.random() < 0.5:
                self.killed["sam"] += self._scene.sam.kill()
                self._scene.start_sam()
            time.sleep(self._dice.uniform(0.5, 2.0))
            other.execute("ROLLBACK")
        if not self._scene.sam.ready():
            assert self._scene.start_sam().ready(), self._scene.sam.log

    def _fill_disk(self, _: object) -> None:
        """Let no file of Sam's grow for a while: to SQLite, a full disk."""
        self.troubles["full disk"] += 1
        log = self._scene.store.with_name(self._scene.store.name + "-wal")
        octets = log.stat().st_size if log.exists() else 0
        self._scene.sam.limit_files(octets + self._dice.choice((0, 1000, 5000)))
        time.sleep(self._dice.uniform(0.3, 1.0))
        self._scene.sam.limit_files(-1)
