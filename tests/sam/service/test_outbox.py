"""The outbox: tried until taken, never more than the bound under way, final when it is final."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

from onebyone import OneByOne
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from dtns.gateway.carrier import Accepted, Failed, Outbound, Report
from dtns.gateway.memory import MemoryCarrier
from dtns.sam.handset.handset import Handset
from dtns.sam.service.exchanges import ExchangeLog
from dtns.sam.service.outbox import VALIDITY_SECONDS
from dtns.sam.service.route import IN_FLIGHT


def temporary(message: Outbound) -> Failed:
    """No signal."""
    return Failed(message.reference, permanent=False, reason="no signal")


def permanent(message: Outbound) -> Failed:
    """No such number."""
    return Failed(message.reference, permanent=True, reason="no such number")


def ask(bench: Any, alice: Handset, bob: Handset, count: int = 1) -> None:
    """Let so many asks come in."""
    for _ in range(count):
        bench.deliver(bench.ask(alice, bob))
    bench.turn()


def report(bench: Any, reference: str | None, state: str, carrier_id: str = "?") -> None:
    """Bring the sink a report."""
    told = bench.sink.reported(Report(carrier_id, reference, state))
    bench.turn()
    bench.done(told)


def test_an_answer_is_accepted_then_delivered(bench: Any, alice: Handset, bob: Handset) -> None:
    """The network's report, by our own reference, ends an answer's way."""
    ask(bench, alice, bob)
    assert bench.states() == {"accepted": 1}
    (message,) = bench.carrier.submitted
    assert message.validity_seconds == VALIDITY_SECONDS
    report(bench, message.reference, "delivered")
    assert bench.states() == {"delivered": 1}
    assert bench.counters["answers-delivered"] == 1


def test_a_report_may_name_only_the_networks_id(bench: Any, alice: Handset, bob: Handset) -> None:
    """Where the network knows no references, its own id finds the answer."""
    bench.carrier.answer = lambda message: Accepted(message.reference, "net-7")
    ask(bench, alice, bob)
    report(bench, None, "failed", "net-7")
    assert bench.states() == {"failed": 1}


def test_reports_that_fit_nothing_are_taken_and_counted(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Junk, another store's references, ids never heard of: no fault, no effect."""
    ask(bench, alice, bob)
    for reference in (None, "", "x", "7", "other.1.1", bench.outbox._prefix, "é" * 50):
        report(bench, reference, "delivered", "nobody")
    assert bench.states() == {"accepted": 1}
    assert bench.counters["answers-unknown-report"] == 7


def test_a_report_may_come_twice_and_late(bench: Any, alice: Handset, bob: Handset) -> None:
    """The first final word stands."""
    ask(bench, alice, bob)
    reference = bench.carrier.submitted[0].reference
    for state in ("delivered", "delivered", "expired"):
        report(bench, reference, state)
    assert bench.states() == {"delivered": 1}


def test_a_temporary_failure_is_tried_again_with_growing_pauses(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """The same reference, again and again, ever more slowly, until the network takes it."""
    bench.carrier.answer = temporary
    times: list[float] = []
    bench.carrier.answer = lambda message: (
        times.append(bench.clock.seconds()),
        temporary(message),
    )[1]
    ask(bench, alice, bob)
    bench.pass_time(120)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) >= 5
    for attempt, pause in enumerate(pauses):
        longest = min(2**attempt, 60)
        assert longest / 2 <= pause <= longest + 0.5
    assert bench.states() == {"retrying": 1}
    bench.carrier.answer = lambda message: Accepted(message.reference, "net")
    bench.pass_time(61)
    assert bench.states() == {"accepted": 1}
    assert len({message.reference for message in bench.carrier.submitted}) == 1


def test_a_permanent_failure_is_final(bench: Any, alice: Handset, bob: Handset) -> None:
    """What will be refused again is not sent again."""
    bench.carrier.answer = permanent
    ask(bench, alice, bob)
    bench.pass_time(200)
    assert bench.states() == {"failed": 1}
    assert len(bench.carrier.submitted) == 1
    assert bench.counters["answers-failed"] == 1


def test_an_answer_expires_in_the_end(bench: Any, alice: Handset, bob: Handset) -> None:
    """After its validity an answer is given up."""
    bench.carrier.answer = temporary
    ask(bench, alice, bob)
    bench.clock.advance(VALIDITY_SECONDS)
    bench.turn(10)
    bench.clock.advance(100)
    bench.turn(10)
    assert bench.states() == {"expired": 1}


def test_nothing_is_handed_over_without_a_connection(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A carrier that is not connected is left alone, and served soon after it is."""
    bench.carrier.disconnect()
    ask(bench, alice, bob, 3)
    bench.pass_time(30)
    assert bench.carrier.submitted == []
    assert bench.states() == {"queued": 3}
    bench.done(Deferred.fromCoroutine(bench.carrier.start()))
    bench.pass_time(1)
    assert bench.states() == {"accepted": 3}


def test_so_many_are_under_way_and_no_more(bench: Any, alice: Handset, bob: Handset) -> None:
    """A stalled network holds IN_FLIGHT answers; each that is taken makes room for another."""
    stalled: list[tuple[Outbound, Deferred[Accepted]]] = []

    class Stalled(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            waiting: Deferred[Accepted] = Deferred()
            stalled.append((message, waiting))
            return await waiting

    for _ in range(3):
        phone = bench.world.phone()
        for _ in range(40):
            bench.deliver(bench.ask(phone, bob))
    bench.use(Stalled())
    bench.turn(10)
    assert len(stalled) == IN_FLIGHT
    for message, waiting in stalled[:10]:
        waiting.callback(Accepted(message.reference, "net"))
    bench.turn(10)
    assert len(stalled) == IN_FLIGHT + 10
    assert bench.states() == {"accepted": 10, "handed": IN_FLIGHT, "queued": 46}


def test_what_else_was_in_the_commit_makes_no_more_room(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """The outbox, woken between a commit and its sends, hands nothing over beyond IN_FLIGHT."""
    stalled: list[Outbound] = []

    class Stalled(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            stalled.append(message)
            return await Deferred()

    bench.use(Stalled())
    bench.turn()
    bench.commits.write(lambda: None).addCallback(lambda _: bench.outbox.wake(new=True))
    for phone in (alice, bench.world.phone(), bench.world.phone()):
        for _ in range(40):
            bench.deliver(bench.ask(phone, bob))
    bench.turn(10)
    assert len(stalled) == IN_FLIGHT


def test_what_was_under_way_at_a_crash_is_sent_again(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Handed over and not answered for: sent again, under the same reference."""
    sent: list[Outbound] = []

    class Dying(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            sent.append(message)
            return await Deferred()

    bench.use(Dying())
    ask(bench, alice, bob, 2)
    assert bench.states() == {"handed": 2}
    bench.start()
    assert bench.states() == {"accepted": 2}
    assert bench.carrier.submitted == sent


def test_what_was_queued_at_a_crash_is_sent(bench: Any, alice: Handset, bob: Handset) -> None:
    """A committed answer needs nothing else to be sent after a restart."""
    bench.carrier.disconnect()
    ask(bench, alice, bob, 5)
    bench.start()
    assert len(bench.carrier.submitted) == 5
    assert alice.receive(bench.carrier.submitted[0].text).key is not None


def test_an_outcome_that_cannot_be_stored_is_stored_later(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """The network's word is not forgotten because the disk is unwell, nor the message repeated."""
    waiting: list[tuple[str, Deferred[Accepted]]] = []

    class Slow(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            waiting.append((message.reference, Deferred()))
            return await waiting[-1][1]

    bench.use(Slow())
    ask(bench, alice, bob)
    bench.writable(yes=False)
    reference, answer = waiting[0]
    answer.callback(Accepted(reference, "net"))
    bench.pass_time(5)
    assert bench.states() == {"handed": 1}
    bench.writable(yes=True)
    bench.pass_time(5)
    assert bench.states() == {"accepted": 1}
    assert len(waiting) == 1


def test_a_hand_over_that_cannot_be_stored_does_not_happen(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Handing over is written down first; while that fails, nothing is sent."""
    bench.carrier.disconnect()
    ask(bench, alice, bob)
    bench.writable(yes=False)
    bench.done(Deferred.fromCoroutine(bench.carrier.start()))
    bench.pass_time(10)
    assert bench.carrier.submitted == []
    bench.writable(yes=True)
    bench.pass_time(5)
    assert bench.states() == {"accepted": 1}


def test_a_carrier_that_raises_is_a_failure_like_any(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A gateway's fault costs an attempt of which nobody knows, and is logged."""

    class Raising(OneByOne):
        def send_all(self, messages: Any, answered: Any) -> None:
            raise ZeroDivisionError

    bench.use(Raising())
    with capturedLogs() as logged:
        ask(bench, alice, bob)
    assert {event["event"] for event in logged} == {"fault"}
    assert bench.states() == {"retrying": 1}
    assert bench.counters["answers-perhaps-sent"] == 1


def test_draining_waits_for_what_is_due_but_not_for_ever(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A drain ends when all is sent, or when its time is over."""
    bench.deliver(bench.ask(alice, bob))
    drained = Deferred.fromCoroutine(bench.outbox.drain(5))
    bench.pass_time(1)
    bench.done(drained)
    assert bench.states() == {"accepted": 1}

    class Silent(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            return await Deferred()

    bench.use(Silent())
    ask(bench, alice, bob)
    drained = Deferred.fromCoroutine(bench.outbox.drain(5))
    bench.pass_time(4)
    assert not drained.called
    bench.pass_time(2)
    bench.done(drained)


def test_an_idle_outbox_leaves_the_disk_alone(bench: Any, alice: Handset, bob: Handset) -> None:
    """When everything is sent, no timer runs and no statement is executed."""
    ask(bench, alice, bob)
    bench.pass_time(2)
    start = len(bench.statements)
    bench.pass_time(60, step=1)
    assert bench.statements[start:] == []
    assert bench.clock.getDelayedCalls() == []


def doubtful(message: Outbound) -> Failed:
    """The connection broke after the message had left."""
    return Failed(message.reference, permanent=False, reason="no answer", maybe_sent=True)


def test_an_attempt_in_doubt_is_repeated_ever_more_rarely(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Each copy may be paid for: a day of doubt costs some tens of copies, not thousands."""
    bench.carrier.answer = doubtful
    ask(bench, alice, bob)
    bench.pass_time(10, step=1)
    assert len(bench.carrier.submitted) >= 2
    bench.pass_time(86400, step=30)
    assert 20 <= len(bench.carrier.submitted) <= 60
    assert bench.states() == {"retrying": 1}
    bench.carrier.answer = lambda message: Accepted(message.reference, "net")
    bench.pass_time(3700, step=30)
    assert bench.states() == {"accepted": 1}


def test_copies_that_doubt_made_are_harmless(bench: Any, alice: Handset, bob: Handset) -> None:
    """The phone takes the first copy; each further one changes nothing on it."""
    bench.carrier.answer = doubtful
    ask(bench, alice, bob)
    bench.pass_time(60, step=1)
    first, *further = bench.carrier.submitted
    assert alice.receive(first.text).key is not None
    kept = alice.keys()
    for message in further:
        assert message.text == first.text
        assert alice.receive(message.text).key is None
    assert len(further) >= 2
    assert alice.keys() == kept


def test_a_report_settles_a_doubt(bench: Any, alice: Handset, bob: Handset) -> None:
    """An answer that was perhaps sent, and is reported delivered, is not sent again."""
    bench.carrier.answer = doubtful
    ask(bench, alice, bob)
    report(bench, bench.carrier.submitted[0].reference, "delivered")
    bench.pass_time(300, step=1)
    assert bench.states() == {"delivered": 1}
    assert len(bench.carrier.submitted) == 1


def test_a_report_before_the_networks_answer_is_matched(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """By the network's own id alone, before that id is known to be ours."""
    waiting: list[tuple[str, Deferred[Accepted]]] = []

    class Racing(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            waiting.append((message.reference, Deferred()))
            return await waiting[-1][1]

    bench.use(Racing())
    ask(bench, alice, bob)
    report(bench, None, "delivered", "net-7")
    assert bench.counters["answers-unknown-report"] == 1
    reference, answer = waiting[0]
    answer.callback(Accepted(reference, "net-7"))
    bench.turn()
    assert bench.states() == {"delivered": 1}
    assert bench.counters["answers-early-report"] == 1


def test_reports_of_any_shape_harm_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """Endless ids, characters no store can hold, numbers beyond all bounds: taken, and no fault."""
    ask(bench, alice, bob)
    prefix = bench.outbox._prefix
    for reference in (f"{prefix}{'9' * 40}", f"{prefix}٣", f"{prefix}-1", "\ud800"):
        report(bench, reference, "failed")
    for carrier_id in ("\ud800", "", "x" * 100_000, "\0"):
        report(bench, None, "failed", carrier_id)
    assert bench.states() == {"accepted": 1}
    assert bench.counters["answers-unknown-report"] == 8


def test_a_second_report_is_counted_as_such(bench: Any, alice: Handset, bob: Handset) -> None:
    """What is reported twice is counted as delivered once."""
    ask(bench, alice, bob)
    for _ in range(3):
        report(bench, bench.carrier.submitted[0].reference, "delivered")
    assert bench.counters["answers-delivered"] == 1
    assert bench.counters["answers-repeated-report"] == 2


def test_a_log_that_cannot_be_written_costs_no_answer(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """What failed for now is tried again, and what becomes of it noted, whatever tells of it."""
    with closing(sqlite3.connect(":memory:")) as unwell:
        bench.outbox._outcomes.exchanges = ExchangeLog(unwell)
    bench.carrier.answer = temporary
    with capturedLogs() as logged:
        ask(bench, alice, bob)
        bench.carrier.answer = lambda message: Accepted(message.reference, "net")
        bench.pass_time(5)
    assert bench.states() == {"accepted": 1}
    assert {event.get("event") for event in logged} == {"fault"}
    assert bench.outbox.routes["memory"].under_way == 0


def second_carrier(bench: Any, name: str = "second", network: str = "trial") -> MemoryCarrier:
    """Add another carrier."""
    carrier = MemoryCarrier(name, bench.traffic.sink(name), bench.clock)
    bench.use(carrier, network)
    return carrier


def test_another_carrier_stands_in(bench: Any, alice: Handset, bob: Handset) -> None:
    """While the one that brought the ask is away, one of its network takes the answer."""
    second, foreign = second_carrier(bench), second_carrier(bench, "foreign", "elsewhere")
    ask(bench, alice, bob)
    assert (len(bench.carrier.submitted), len(second.submitted)) == (1, 0)
    text = bench.ask(alice, bob)
    bench.deliver(text)
    bench.carrier.disconnect()
    bench.pass_time(1)
    assert (len(second.submitted), foreign.submitted) == (1, [])
    with bench.world.store.transaction():
        went = [bench.world.store.outbox.deliveries(n)[0].carrier for n in (1, 2)]
    assert went == ["memory", "second"]


def test_after_a_failure_another_carrier_is_tried(bench: Any, alice: Handset, bob: Handset) -> None:
    """A carrier that is connected and takes nothing does not hold the answer for ever."""
    bench.carrier.answer = temporary
    second = second_carrier(bench)
    ask(bench, alice, bob)
    bench.pass_time(2)
    assert len(second.submitted) == 1
    assert bench.states() == {"accepted": 1}


def test_a_carrier_that_fails_again_and_again_is_given_less(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """A backlog does not storm a carrier without signal; one success opens it again."""
    bench.carrier.answer = temporary
    for _ in range(3):
        phone = bench.world.phone()
        for _ in range(40):
            bench.deliver(bench.ask(phone, bob))
    bench.pass_time(60)
    assert len(bench.carrier.submitted) < 64 + 120
    bench.carrier.answer = lambda message: Accepted(message.reference, "net")
    bench.pass_time(80)
    assert bench.states() == {"accepted": 120}


def test_a_clock_set_by_years_neither_expires_nor_delays(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """Pauses and validity count seconds of service: both jumps change nothing in the outbox."""
    for jump in (10 * 365 * 86400.0, -20 * 365 * 86400.0):
        bench.carrier.answer = temporary
        ask(bench, alice, bob)
        bench.began += jump
        sent = len(bench.carrier.submitted)
        bench.pass_time(10)
        assert len(bench.carrier.submitted) > sent
        assert bench.states()["retrying"] == 1
        bench.carrier.answer = lambda message: Accepted(message.reference, "net")
        bench.pass_time(60)
    assert bench.states() == {"accepted": 2}


def test_a_copy_that_a_crash_made_is_harmless(bench: Any, alice: Handset, bob: Handset) -> None:
    """Taken by the network, but Sam died before it heard so: the phone gets the octets twice."""
    taken: list[Outbound] = []

    class Dying(OneByOne):
        async def send(self, message: Outbound) -> Accepted:
            taken.append(message)
            return await Deferred()

    bench.use(Dying())
    ask(bench, alice, bob)
    bench.start()
    (again,) = bench.carrier.submitted
    assert again == taken[0]
    assert alice.receive(taken[0].text).key is not None
    kept = alice.keys()
    assert alice.receive(again.text).key is None
    assert alice.keys() == kept
    assert bench.states() == {"accepted": 1}
