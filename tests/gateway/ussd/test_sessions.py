"""Sessions by a clock that one turns by hand: repeats, patience, pages, callers who come back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dtns.gateway.ussd.pages import fits
from dtns.gateway.ussd.seam import Screen, Turn
from dtns.gateway.ussd.sessions import (
    IDLE_SECONDS,
    PATIENCE_SECONDS,
    TYPED_CHARACTERS,
    UNDER_WAY,
    Sessions,
)


class Echo:
    """A dialogue that counts what it took; `slow` and `slow-end` wait until they are released."""

    def __init__(self, menu: EchoMenu, caller: str) -> None:
        self.menu = menu
        self.caller = caller
        self.took: list[str] = []

    def opened(self) -> Screen:
        """Greet."""
        return Screen(f"hello {self.caller}")

    def resumed(self) -> Screen:
        """Greet again."""
        return Screen(f"again {len(self.took)}")

    async def take(self, typed: str) -> Screen:
        """Echo."""
        self.took.append(typed)
        self.menu.taken.append(typed)
        if typed.startswith("slow"):
            released: Deferred[None] = Deferred()
            self.menu.held.append(released)
            await released
        if typed == "fault":
            raise RuntimeError("on purpose")
        text = "long " * 60 if typed == "long" else f"{len(self.took)} {typed}"
        return Screen(text, ends=typed.endswith("end"))


class EchoMenu:
    """A menu of echoes."""

    wait, over, busy = "wait", "over", "busy"

    def __init__(self) -> None:
        self.held: list[Deferred[None]] = []
        self.taken: list[str] = []
        self.dialogues: list[Echo] = []

    def dialogue(self, caller: str) -> Echo:
        """Begin one."""
        self.dialogues.append(Echo(self, caller))
        return self.dialogues[-1]

    def release(self) -> None:
        """Let what is slow come to its end."""
        held, self.held = self.held, []
        for each in held:
            each.callback(None)


class Bench:
    """Sessions with a clock."""

    def __init__(self, **options: Any) -> None:
        self.menu, self.clock = EchoMenu(), Clock()
        self.counts: Counter[str] = Counter()
        self.sessions = Sessions(
            self.menu,
            reactor=self.clock,
            count=lambda what: self.counts.update([what]),
            **options,
        )

    def send(
        self, session: str, mark: str, *typed: str, caller: str = "1", begins: bool = False
    ) -> list[Screen]:
        """Bring a turn; the list gets its screen when there is one."""
        shown: list[Screen] = []
        turn = Turn(session, caller, mark, typed, begins)
        self.sessions.turn(turn).addCallback(shown.append)
        return shown

    def text(self, session: str, mark: str, *typed: str, **options: Any) -> str:
        """Bring a turn that is answered at once."""
        (screen,) = self.send(session, mark, *typed, **options)
        return f"{'END ' if screen.ends else ''}{screen.text}"


@pytest.fixture
def bench() -> Bench:
    """Sessions with nobody calling."""
    return Bench()


def test_a_session(bench: Bench) -> None:
    """Dialled, typed, ended; after that there is nothing to type into."""
    assert bench.text("a", "0", begins=True) == "hello 1"
    assert bench.text("a", "1", "x") == "1 x"
    assert bench.text("a", "2", "the end") == "END 2 the end"
    assert bench.text("a", "3", "y") == "END over"
    assert bench.text("a", "3", "y") == "END over"
    assert bench.menu.taken == ["x", "the end"]


def test_repeats_are_answered_alike(bench: Bench) -> None:
    """The same turn again, the latest or an older one, does nothing anew."""
    first = bench.text("a", "0", begins=True)
    second = bench.text("a", "1", "x")
    third = bench.text("a", "2", "the end")
    assert bench.text("a", "1", "x") == second
    assert bench.text("a", "0") == first
    assert bench.text("a", "2", "the end") == third
    assert bench.menu.taken == ["x", "the end"]
    assert bench.counts["ussd-repeat"] == 3


def test_a_repeat_while_it_is_under_way(bench: Bench) -> None:
    """Both get the one answer."""
    bench.text("a", "0", begins=True)
    shown = [bench.send("a", "1", "slow"), bench.send("a", "1", "slow")]
    bench.menu.release()
    assert [[screen.text for screen in each] for each in shown] == [["1 slow"], ["1 slow"]]
    assert bench.menu.taken == ["slow"]


def test_patience(bench: Bench) -> None:
    """What takes long is told of in time, and shown at the next key, whatever that is."""
    bench.text("a", "0", begins=True)
    shown = bench.send("a", "1", "slow")
    bench.clock.advance(PATIENCE_SECONDS)
    assert [screen.text for screen in shown] == ["wait"]
    later = bench.send("a", "2", "1")
    assert later == []
    bench.menu.release()
    assert [screen.text for screen in later] == ["1 slow"]
    assert bench.text("a", "3", "x") == "2 x"
    assert bench.menu.taken == ["slow", "x"]
    assert bench.counts["ussd-told-to-wait"] == 1


def test_what_came_while_nobody_asked(bench: Bench) -> None:
    """It is shown first; what was typed in between is not taken for an answer to it."""
    bench.text("a", "0", begins=True)
    bench.send("a", "1", "slow")
    bench.clock.advance(PATIENCE_SECONDS)
    bench.menu.release()
    assert bench.text("a", "2", "7") == "1 slow"
    assert bench.menu.taken == ["slow"]


def test_a_caller_who_was_cut_off(bench: Bench) -> None:
    """Dialling again goes on, also with what came meanwhile; dialling something begins anew."""
    bench.text("a", "0", begins=True)
    bench.text("a", "1", "x")
    assert bench.text("b", "0", begins=True) == "again 1"
    bench.send("b", "1", "slow")
    bench.clock.advance(PATIENCE_SECONDS)
    bench.menu.release()
    assert bench.text("c", "0", begins=True) == "2 slow"
    assert bench.text("d", "0", "y", begins=True) == "1 y"
    assert bench.text("a", "2", "x") == "END over"
    assert bench.counts["ussd-resumed"] == 2


def test_an_ended_session_is_not_gone_on_with(bench: Bench) -> None:
    """After its last screen a caller begins anew, and so does one who comes back late."""
    bench.text("a", "0", "the end", begins=True)
    assert bench.text("b", "0", begins=True) == "hello 1"
    bench.clock.advance(IDLE_SECONDS)
    assert bench.text("c", "0", begins=True) == "hello 1"
    assert len(bench.sessions) == 1


def test_another_caller_has_no_part_in_a_session(bench: Bench) -> None:
    """An id that another number uses gets nothing of it."""
    bench.text("a", "0", begins=True)
    assert bench.text("a", "1", "x", caller="2") == "END over"
    assert bench.menu.taken == []
    assert bench.counts["ussd-other-caller"] == 1


def test_typed_ahead(bench: Bench) -> None:
    """Everything dialled in advance is taken in its order, up to the end."""
    assert bench.text("a", "0", "x", "y", "the end", "z", begins=True) == "END 3 the end"
    assert bench.menu.taken == ["x", "y", "the end"]


def test_pages(bench: Bench) -> None:
    """A long screen comes in pages; any other key is for the dialogue."""
    bench.text("a", "0", begins=True)
    first = bench.text("a", "1", "long")
    second = bench.text("a", "2", "9")
    assert first != second
    assert fits(first)
    assert fits(second)
    assert bench.text("a", "3", "x") == "2 x"
    assert bench.text("a", "4", "9") == "3 9"


def test_a_fault_ends_a_session(bench: Bench) -> None:
    """It is counted, and the caller may dial again."""
    bench.text("a", "0", begins=True)
    assert bench.text("a", "1", "fault") == "END busy"
    assert bench.counts["ussd-faults"] == 1
    assert bench.text("b", "0", begins=True) == "hello 1"


def test_too_much_is_refused(bench: Bench) -> None:
    """Only so much is under way at a time; then it goes on."""
    for caller in range(UNDER_WAY):
        assert bench.send(f"s{caller}", "0", "slow", caller=f"c{caller}", begins=True) == []
    assert bench.text("x", "0", "y", caller="x", begins=True) == "END busy"
    assert bench.text("x", "0", caller="x", begins=True) == "END busy"
    bench.menu.release()
    assert bench.text("y", "0", "y", caller="y", begins=True) == "1 y"


def test_room_is_bounded() -> None:
    """The longest idle goes; whoever was forgotten is told to dial again."""
    bench = Bench(room=3)
    for caller in range(5):
        bench.text(f"s{caller}", "0", caller=f"c{caller}", begins=True)
    assert len(bench.sessions) == 3
    assert bench.counts["ussd-evicted"] == 2
    assert bench.text("s0", "1", "x", caller="c0") == "END over"
    assert bench.text("s4", "1", "x", caller="c4") == "1 x"


def test_long_input_is_cut(bench: Bench) -> None:
    """A dialogue is never given more than fits a screen."""
    bench.text("a", "0", "7" * 5000, begins=True)
    assert bench.menu.taken == ["7" * TYPED_CHARACTERS]


class Machine(RuleBasedStateMachine):
    """Callers, repeats, cut-offs and slow answers in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(room=4)
        self.answers: dict[tuple[str, str], str] = {}
        self.open: list[tuple[str, str]] = []
        self.marks = 0
        self.waiting: list[tuple[list[Screen], float]] = []
        self.unique = 0

    def send(self, session: str, caller: str, *typed: str, begins: bool) -> None:
        """Bring a turn that was never brought before."""
        self.marks += 1
        mark = f"{self.marks}"
        shown = self.bench.send(session, mark, *typed, caller=caller, begins=begins)
        self.waiting.append((shown, self.bench.clock.seconds()))
        if shown:
            self.answers[session, mark] = shown[0].text

    @rule(caller=st.sampled_from("123456"), ahead=st.booleans(), slow=st.booleans())
    def dial(self, caller: str, ahead: bool, slow: bool) -> None:  # noqa: FBT001 (drawn)
        """Dial, perhaps with something typed ahead."""
        self.unique += 1
        session = f"s{self.unique}"
        typed = (f"{'slow' if slow else 'fast'} {self.unique}",) if ahead else ()
        self.open.append((session, caller))
        self.send(session, caller, *typed, begins=True)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), what=st.sampled_from(["fast", "slow", "long", "the end", "9", "fault"]))
    def type(self, data: st.DataObject, what: str) -> None:
        """Type into a session, known or forgotten."""
        session, caller = data.draw(st.sampled_from(self.open))
        self.unique += 1
        typed = what if what in {"9", "fault", "long"} else f"{self.unique} {what}"
        self.send(session, caller, typed if what != "slow" else f"slow {self.unique}", begins=False)

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Bring a turn again that was answered: the same, or that the session is over."""
        session, mark = data.draw(st.sampled_from(sorted(self.answers)))
        caller = dict(self.open)[session]
        before = len(self.bench.menu.taken)
        shown = self.bench.send(session, mark, "x", caller=caller)
        assert shown[0].text in {self.answers[session, mark], "over"}
        assert len(self.bench.menu.taken) == before

    @rule()
    def release(self) -> None:
        """Let slow things end."""
        self.bench.menu.release()

    @rule(seconds=st.sampled_from([0.1, PATIENCE_SECONDS, 60.0, IDLE_SECONDS]))
    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.bench.clock.advance(seconds)

    @invariant()
    def everybody_is_answered_in_time(self) -> None:
        """No turn is without its one screen for longer than the patience."""
        now = self.bench.clock.seconds()
        for shown, sent_at in self.waiting:
            assert len(shown) <= 1
            assert shown or now - sent_at < PATIENCE_SECONDS
        self.waiting = [(shown, at) for shown, at in self.waiting if not shown]

    @invariant()
    def nothing_is_done_twice(self) -> None:
        """What was typed once is taken once."""
        taken = [text for text in self.bench.menu.taken if text not in {"9", "fault", "long", "x"}]
        assert len(taken) == len(set(taken))

    @invariant()
    def memory_is_bounded(self) -> None:
        """No more sessions than there is room for, but for those that run."""
        assert len(self.bench.sessions) <= 4 + len(self.bench.menu.held) + 1


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
