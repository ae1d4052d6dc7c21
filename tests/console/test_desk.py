"""The console's parts without sockets: tokens, sessions, sealed numbers, minutes, charts, deeds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from dtns.sam.console.operator import sessions as bounds
from dtns.sam.console.operator.charts import (
    HEIGHT,
    WIDTH,
    Moment,
    round_up,
    span,
    stacked,
    timeline,
)
from dtns.sam.console.operator.cloak import Cloak
from dtns.sam.console.operator.deeds import Deed, Deeds
from dtns.sam.console.operator.minutes import ASKS, FILE, KEPT, Minutes, Series
from dtns.sam.console.operator.sessions import Sessions
from dtns.sam.console.operator.tokens import Token, TokenFile
from dtns.sam.errors import ConfigError, StoreError
from dtns.sam.protocol.numbers import Number

TOKEN = Token("n", "0" * 64, 0.0, 9.0)


def test_a_session_ends_by_idleness_and_by_age() -> None:
    """Whatever renews itself in the background keeps no session alive."""
    clock = Clock()
    sessions = Sessions(clock.seconds)
    cookie = sessions.begin(TOKEN)
    clock.advance(bounds.IDLE_SECONDS - 1)
    assert sessions.find(cookie, touch=False) is not None
    clock.advance(2)
    assert sessions.find(cookie) is None
    cookie, ended = sessions.begin(TOKEN), clock.seconds() + bounds.LONGEST_SECONDS
    while clock.seconds() < ended - 600:
        assert sessions.find(cookie) is not None
        clock.advance(600)
    clock.advance(600)
    assert sessions.find(cookie) is None


def test_sessions_are_bounded() -> None:
    """The one unseen for longest makes room."""
    clock = Clock()
    sessions = Sessions(clock.seconds)
    cookies = []
    for _ in range(bounds.SESSIONS + 1):
        clock.advance(1)
        cookies.append(sessions.begin(TOKEN))
    assert sessions.find(cookies[0]) is None
    assert all(sessions.find(cookie) for cookie in cookies[1:])


def test_guesses_are_slow_in_the_long_run() -> None:
    """A guesser gets five at once and then five a minute, whatever the patience."""
    clock = Clock()
    sessions = Sessions(clock.seconds)
    guesses = 0
    while clock.seconds() < 3600:
        if sessions.wait() == 0:
            sessions.note_failure()
            guesses += 1
        else:
            clock.advance(1)
    assert guesses <= bounds.ATTEMPTS + 3600 / bounds.ATTEMPT_SECONDS + 1


def test_tokens_end_on_their_day(tmp_path: Path) -> None:
    """An expired token is none; junk of any length is none."""
    tokens = TokenFile(tmp_path)
    plain = tokens.make("n", now=0.0, seconds=10.0)
    token = tokens.find(plain, 9.9)
    assert token is not None
    assert tokens.holds(token, 9.9)
    assert not tokens.holds(token, 10.0)
    for junk in ("", plain[:-1], plain + "a", "é", "a" * 100_000):
        assert tokens.find(junk, 1.0) is None
    tokens.path.write_text("junk\n")
    with pytest.raises(ConfigError, match="damaged"):
        tokens.tokens()


@given(st.from_regex("[1-9][0-9]{6,14}", fullmatch=True), st.text(max_size=200))
def test_sealed_numbers_open_to_themselves_alone(digits: str, junk: str) -> None:
    """The same each time, nothing of the number in it, opened by its own process only."""
    cloak, number = Cloak(), Number(digits)
    sealed = cloak.seal(number)
    assert cloak.open(sealed) == number
    assert cloak.seal(number) == sealed
    assert digits not in sealed
    assert Cloak().open(sealed) is None
    assert cloak.open(junk) is None
    assert cloak.open(sealed[:-5]) is None


def told_by(minutes: Minutes) -> dict[str, tuple[int, ...]]:
    """Return the series of asks."""
    return {series.name: series.counts for series in minutes.series(ASKS)}


def test_minutes_tell_what_happened_in_each(tmp_path: Path) -> None:
    """The present one at the end; older than an hour is forgotten."""
    counters, clock = Counter({"issued": 5}), Clock()
    clock.advance(6000)
    minutes = Minutes(counters, clock.seconds, clock, tmp_path)
    minutes.start()
    counters["issued"] += 2
    clock.advance(60)
    counters["issued"] += 3
    counters["forged"] += 1
    told = told_by(minutes)
    assert sum(told["issued"]) == 5
    assert told["issued"][-2:] == (0, 5)
    assert told["met silence"][-1] == 1
    clock.pump([20.0] * 3)
    counters["refused"] += 1
    told = told_by(minutes)
    assert (told["issued"][-2:], told["refused"][-2:]) == ((5, 0), (0, 1))
    assert all(len(counts) == KEPT for counts in told.values())
    clock.pump([60.0] * KEPT)
    assert not any(map(any, told_by(minutes).values()))
    minutes.stop()
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("junk", ["", "junk", "[]", "3", '{"a": 1}', '{"1": {"issued": "x"}}'])
def test_minutes_outlive_a_restart(tmp_path: Path, junk: str) -> None:
    """A gap shows where Sam was down; a damaged file is none, and a clock set back hides."""
    clock = Clock()
    clock.advance(6000)
    for pause in (120, 0):
        counters: Counter[str] = Counter()
        minutes = Minutes(counters, clock.seconds, clock, tmp_path)
        minutes.start()
        counters["issued"] += 7
        minutes.stop()
        clock.advance(pause)
    minutes = Minutes(Counter(), clock.seconds, clock, tmp_path)
    assert told_by(minutes)["issued"][-3:] == (7, 0, 7)
    earlier = Minutes(Counter(), lambda: clock.seconds() - 60, clock, tmp_path)
    assert told_by(earlier)["issued"][-3:] == (0, 7, 0)
    (tmp_path / FILE).write_text(junk)
    assert not any(told_by(Minutes(Counter(), clock.seconds, clock, tmp_path))["issued"])


@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=KEPT))
def test_bars_stay_in_their_drawing(columns: list[tuple[int, int, int]]) -> None:
    """No bar leaves the frame, those of a minute stand on each other, heights keep proportion."""
    series = [Series(str(n), counts) for n, counts in enumerate(zip(*columns, strict=True))]
    chart = stacked(series)
    assert chart.top == round_up(max(map(sum, columns)))
    for bar in chart.bars:
        assert 0 <= bar.x <= WIDTH - bar.width
        assert -0.2 <= bar.y <= HEIGHT
        assert bar.y + bar.height <= HEIGHT + 0.2
    drawn = sum(bar.height for bar in chart.bars) / HEIGHT * chart.top
    whole = sum(map(sum, columns))
    assert drawn == pytest.approx(whole, abs=0.06 / HEIGHT * chart.top * len(chart.bars) + 1e-6)


def test_scales_end_at_round_numbers() -> None:
    """Not far above the highest count, and never below."""
    assert [round_up(n) for n in (0, 1, 7, 9, 10, 58, 61, 99, 101, 4001)] == [
        *(1, 1, 8, 10, 10, 60, 80, 100, 200, 5000),
    ]


def test_a_line_is_drawn_over_the_bars_on_their_scale() -> None:
    """Its points are over the middles of the bars, and the highest count fits."""
    chart = stacked([Series("a", (1, 2))], Series("b", (0, 9)))
    assert chart.top == 10
    assert chart.points == f"584.0,140.0 594.0,{140 - 0.9 * 140:.1f}"
    assert chart.totals == {"a": 3, "b": 9}


def test_a_timeline_keeps_days_apart() -> None:
    """Places are in proportion to time; pauses are told in words."""
    moments = [Moment(d * 86400.0, str(d), "", "") for d in (4, 0, 1)]
    placed = timeline(moments)
    assert [moment.x for moment in placed] == [0, WIDTH / 4, WIDTH]
    assert [moment.after for moment in placed] == ["", "1 d", "3 d"]
    assert timeline([]) == []
    assert [span(s) for s in (0, 59.6, 3661, 90000)] == ["0 s", "1 min", "1 h 1 min", "1 d 1 h"]


def test_a_deed_is_written_before_it_is_done(tmp_path: Path) -> None:
    """A line before, a line after, in order; a fault in between shows as such."""
    deeds = Deeds(tmp_path)
    with deeds.doing(Deed(1.0, "ann", "suspend party", "+254712000001")) as outcome:
        assert deeds.latest()[0].outcome == ""
        outcome.append("done")
    with pytest.raises(ZeroDivisionError), deeds.doing(Deed(2.0, "ben", "retry", "7")):
        _ = 1 / 0
    told = [(deed.who, deed.shown, deed.outcome) for deed in deeds.latest()]
    assert told == [("ben", "7", "a fault"), ("ann", "+254…01", "done")]
    assert deeds.path.stat().st_mode & 0o777 == 0o600
    with deeds.path.open("a") as file:
        file.write('junk\n[]\n{"id": 3}\n{"id": "x", "outcome": "y"}\n')
    assert len(deeds.latest()) == 2
    nowhere = Deeds(tmp_path / "nowhere")
    with pytest.raises(StoreError), nowhere.doing(Deed(1.0, "a", "b", "c")):
        pytest.fail("done though it could not be written down")
