"""What an issue costs, in counts that no busy machine can change."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dtns.gateway.carrier import Accepted, Outbound
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Registration
from dtns.sam.protocol.keys import Enrolment
from dtns.sam.protocol.numbers import Number

if TYPE_CHECKING:
    from dtns.gateway.carrier import Answered

BURST = 100
MOST_STATEMENTS = 5
MOST_CALLS = 500
MOST_LEFT = 2


def burst(bench: Any, phones: list[Handset], count: int = BURST) -> None:
    """Bring so many asks in one turn, and let everything happen that follows."""
    texts = [bench.ask(phones[n % 2], phones[(n + 1) % 2]) for n in range(count)]
    for text in texts:
        bench.deliver(text)
    bench.turn()
    assert not bench.unacknowledged


def many(make_bench: Any) -> Any:
    """Return a bench with a policy that lets two phones ask often."""
    return make_bench(Policy(asks_per_day=5000))


def verbs(statements: list[str]) -> Counter[str]:
    """Count statements by their verb."""
    return Counter(statement.split()[0] for statement in statements)


def test_statements_of_an_issue(make_bench: Any) -> None:
    """An issue costs no more statements than it has rows; a turn's own are few."""
    bench = many(make_bench)
    phones = [bench.world.phone(), bench.world.phone()]
    burst(bench, phones, 10)
    counts = []
    for count in (20, 120):
        start = len(bench.statements)
        burst(bench, phones, count)
        counts.append(len(bench.statements) - start)
    few, more = counts
    assert (more - few) / 100 <= MOST_STATEMENTS
    assert few - 20 * (more - few) / 100 <= 40
    assert bench.states() == {"accepted": 150}


def test_commits_of_a_turn(make_bench: Any) -> None:
    """However many asks come in a turn, they cost one sync, and their outcomes one more."""
    bench = many(make_bench)
    phones = [bench.world.phone(), bench.world.phone()]
    bench.use(bench.carrier, in_flight=400)
    bench.turn()
    for count in (1, 40, 200):
        start = len(bench.statements)
        burst(bench, phones, count)
        assert bench.commits_since(start) == 2


class Slow:
    """A carrier whose network answers when it is told to."""

    name, connected = "memory", True

    def __init__(self) -> None:
        self.waiting: list[tuple[Sequence[Outbound], Answered]] = []

    async def start(self) -> None:
        """Connect."""

    def send_all(self, messages: Sequence[Outbound], answered: Answered) -> None:
        """Leave the answers open."""
        self.waiting.append((messages, answered))

    def answer(self) -> None:
        """Answer all that is open."""
        waiting, self.waiting = self.waiting, []
        for messages, answered in waiting:
            answered([Accepted(each.reference, each.reference) for each in messages])


def test_outcomes_share_a_commit_with_the_next_asks(make_bench: Any) -> None:
    """Where asks keep coming there is one sync a turn, for outcomes and asks together."""
    bench, carrier = many(make_bench), Slow()
    phones = [bench.world.phone(), bench.world.phone()]
    bench.use(carrier)
    bench.turn()
    start = len(bench.statements)
    for _ in range(10):
        for _ in range(BURST // 10):
            bench.deliver(bench.ask(*phones))
        carrier.answer()
        bench.turn()
    assert bench.states() == {"accepted": BURST - BURST // 10, "handed": BURST // 10}
    assert bench.commits_since(start) == 10


def test_parties_are_read_at_once(make_bench: Any) -> None:
    """Whatever the number of asks in a turn, and of parties that they are about."""
    bench = many(make_bench)
    holder, *phones = (bench.world.phone() for _ in range(6))
    for each in phones:
        burst(bench, [each, holder], 2)
    start = len(bench.statements)
    texts = [bench.ask(each, holder) for each in phones for _ in range(BURST // 5)]
    for text in texts:
        bench.deliver(text)
    bench.turn()
    looked_up = [line for line in bench.statements[start:] if line.startswith("SELECT")]
    assert sum(" FROM party " in line for line in looked_up) == 1
    assert not any("FROM pair_index" in line for line in looked_up), "known since the last burst"
    assert len(looked_up) <= 20


def test_calls_of_an_issue(make_bench: Any) -> None:
    """The calls that Python makes for an issue, its own and others'."""
    bench = many(make_bench)
    phones = [bench.world.phone(), bench.world.phone()]
    burst(bench, phones)
    texts = [bench.ask(*phones) for _ in range(BURST)]
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    for text in texts:
        bench.deliver(text)
    sys.setprofile(count)
    bench.turn()
    sys.setprofile(None)
    assert bench.states()["accepted"] == 2 * BURST
    assert calls / BURST <= MOST_CALLS


def test_objects_left_by_an_issue(make_bench: Any) -> None:
    """What an issue leaves in memory is what the carrier remembers of it, and no more."""
    bench = many(make_bench)
    phones = [bench.world.phone(), bench.world.phone()]
    bench.world.store.connection.set_trace_callback(None)
    burst(bench, phones)
    texts = [bench.ask(*phones) for _ in range(BURST)]
    gc.collect()
    before = len(gc.get_objects())
    for text in texts:
        bench.deliver(text)
    bench.turn()
    gc.collect()
    assert (len(gc.get_objects()) - before) / BURST <= MOST_LEFT


def test_parties_take_no_memory(make_bench: Any) -> None:
    """Sam holds as many objects with twenty thousand parties as with two."""
    bench = many(make_bench)
    phones = [bench.world.phone(), bench.world.phone()]
    bench.world.store.connection.set_trace_callback(None)
    blocks = []
    for _ in range(2):
        burst(bench, phones)
        bench.carrier.submitted.clear()
        gc.collect()
        blocks.append(sys.getallocatedblocks())
        with bench.world.store.transaction() as store:
            for index in range(20_000):
                number = Number(str(260_000_000_000 + index))
                store.save(Registration(Enrolment(number, 1, 1, 1), 0.0))
    assert blocks[1] - blocks[0] <= 40 * BURST
