"""Whether, when all is calm again, Sam's store is what everything seen says it must be."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from deployment import dtns
from ledger import Ledger, Traffic
from pair import Pair

from dtns.sam.cli.main import COMMANDS
from dtns.sam.handset.state import AskOutcome
from dtns.sam.protocol.session import session_key

_OPEN = ("queued", "handed", "retrying")


class Store:
    """Sam's store as an outsider reads it."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            self.sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            self.behind = bool(connection.execute("SELECT behind FROM meta").fetchone()[0])
            self.decisions = connection.execute("SELECT * FROM decision ORDER BY id").fetchall()
            self.parties = connection.execute("SELECT * FROM party").fetchall()
            self.pairs = connection.execute(
                "SELECT asker, asker_generation, holder, holder_generation, epoch,"
                " max(last_n) AS last_n FROM pair GROUP BY 1, 2, 3, 4, 5"
            ).fetchall()
            self.outbox = connection.execute("SELECT * FROM outbox").fetchall()
            self.handed = connection.execute("SELECT first FROM handed").fetchall()

    def chain_faults(self) -> Iterator[str]:
        """Yield what is wrong with the row of decisions: each n once, none left out."""
        issued: dict[Any, list[int]] = defaultdict(list)
        for row in self.decisions:
            if row["n"] is not None:
                pair = ("asker", "asker_generation", "holder", "holder_generation", "epoch")
                issued[tuple(row[column] for column in pair)].append(row["n"])
        for pair, numbers in issued.items():
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"the keys of {pair} are {numbers}"
        last = {tuple(row)[:5]: row["last_n"] for row in self.pairs}
        if last != {pair: len(numbers) for pair, numbers in issued.items()}:
            yield "the counters of the pairs are not those of the decisions"
        answered = {row["decision"] for row in self.outbox}
        for row in self.decisions:
            if row["id"] not in answered:
                yield f"decision {row['id']} has no answer"


def audit_fault(config: Path) -> str | None:
    """Return what `dtns audit verify` has to say against the log, None where it says nothing."""
    if "audit" not in COMMANDS:
        return None
    done = dtns("audit", "verify", "-c", str(config), "--json")
    return None if done.returncode == 0 else f"audit: {done.stdout} {done.stderr}"


def lost(store: Store, traffic: Traffic, ledger: Ledger) -> list[str]:
    """Return the asks that Sam acknowledged to the network and did not answer."""
    decided = {
        (str(row["asker"]), row["asker_generation"], row["counter"]) for row in store.decisions
    }
    return [
        f"ask {place} was acknowledged and {why}"
        for place in sorted(traffic.acknowledged)
        if (why := _loss(place, decided, traffic, ledger)) is not None
    ]


def _loss(place: Any, decided: set[Any], traffic: Traffic, ledger: Ledger) -> str | None:
    number, _, counter = place
    if place not in decided:
        return "is not in the store"
    if (number, counter) not in ledger.answered | traffic.taken:
        return "no network took an answer"
    return None


def model_faults(
    store: Store, traffic: Traffic, ledger: Ledger, pairs: Iterable[Pair]
) -> Iterator[str]:
    """Yield every way in which store and phones differ from what the run must have come to."""
    if not store.sound:
        yield "SQLite finds the store damaged"
    if store.behind:
        yield "Sam believes that it lost records"
    came = set(traffic.came)
    yield from (
        f"decision {row['id']} answers an ask that never came"
        for row in store.decisions
        if (str(row["asker"]), row["asker_generation"], row["counter"]) not in came
    )
    yield from _party_faults(store)
    waiting = [row["id"] for row in store.outbox if row["state"] in _OPEN]
    if waiting:
        yield f"answers {waiting} still wait"
    if store.handed:
        yield f"what was handed over with {[row['first'] for row in store.handed]} is not settled"
    sims = {str(phone.sim.number): phone.sim for p in pairs for phone in (p.asker, p.holder)}
    yield from _key_faults(store, ledger, sims)
    yield from _ask_faults(store, ledger)


def _party_faults(store: Store) -> Iterator[str]:
    counters: dict[int, list[int]] = defaultdict(list)
    for row in store.decisions:
        counters[row["asker"]].append(row["counter"])
    for row in store.parties:
        own = counters[row["number"]]
        if row["window_highest"] != max(own, default=0):
            yield f"the window of {row['number']} ends at {row['window_highest']}"
        bits = row["window_bits"] % (1 << 64)
        if bits.bit_count() != sum(counter > row["window_highest"] - 64 for counter in own):
            yield f"the window of {row['number']} is not that of its decisions"


def _key_faults(store: Store, ledger: Ledger, sims: dict[str, Any]) -> Iterator[str]:
    """Every key in a phone is the one that Sam's log tells of, made from the holder's key."""
    log = {
        (
            str(r["asker"]),
            r["asker_generation"],
            str(r["holder"]),
            r["holder_generation"],
            r["epoch"],
            r["n"],
        ): r
        for r in store.decisions
        if r["n"] is not None
    }
    for place, (context, session) in ledger.keys.items():
        row = log.get(place)
        if row is None:
            yield f"the key {place} was never issued"
            continue
        terms = context.terms
        if (terms.limit, terms.direction.value, terms.expiry) != (
            row["limit_class"],
            row["direction"],
            row["expiry"],
        ):
            yield f"the key {place} has other terms than those issued"
        derived = session_key(sims[place[2]].keys.ticket, context.octets)
        if (row["form"] != 2) != (derived == session):
            yield f"the key {place} is not the one issued"


def _ask_faults(store: Store, ledger: Ledger) -> Iterator[str]:
    """Every ask that a phone takes for answered was decided so."""
    decided = {(str(row["asker"]), row["counter"]): row for row in store.decisions}
    for number, state in ledger.states.items():
        for sent in state.asks:
            row = decided.get((number, sent.ask.counter))
            if sent.outcome is AskOutcome.ANSWERED and (row is None or row["n"] is None):
                yield f"{number} has an answer to its ask {sent.ask.counter} that Sam never gave"
            if sent.outcome is AskOutcome.REFUSED:
                yield f"{number} was refused a key: {sent.reason}"


def disagreements(pairs: Iterable[Pair]) -> list[str]:
    """Return the pairs whose newest keys are not the same, confirmed on both sides and marked."""
    return [f"{p.asker.sim.number}, {p.holder.sim.number}" for p in pairs if not _agree(p)]


def _agree(pair: Pair) -> bool:
    asker, holder = pair.states()
    if asker is None or holder is None:
        return False
    keys = asker.asked.get(pair.holder.sim.number, ())
    peer = holder.peers.get(pair.asker.sim.number)
    if not keys or peer is None or not peer.held:
        return False
    ours, theirs = keys[-1], peer.held[-1]
    same = (ours.context, ours.session) == (theirs.context, theirs.session)
    return same and ours.confirmed and theirs.confirmed and peer.mark == theirs.order


def as_json(facts: dict[str, Any]) -> str:
    """Return one line of JSON."""
    return json.dumps(facts)
