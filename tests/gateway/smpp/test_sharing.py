"""Messages are shared between windows as if each were given out alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway.smpp.sharing import Window, share_out

WINDOWS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 20), st.integers(0, 20)).map(
        lambda drawn: Window(min(drawn[0], drawn[1]), drawn[1], min(drawn[2], drawn[1]))
    ),
    max_size=5,
)


@given(st.integers(0, 60), WINDOWS)
def test_as_if_one_by_one(count: int, windows: list[Window]) -> None:
    """Each goes where it is emptiest by then, and as many go as there is room for."""
    shares, left = share_out(count, windows), list(windows)
    alone = [0] * len(windows)
    for _ in range(count):
        free = [place for place, window in enumerate(left) if window.room]
        if not free:
            break
        place = min(free, key=lambda place: left[place].used / left[place].size)
        used, size, room = left[place]
        left[place] = Window(used + 1, size, room - 1)
        alone[place] += 1
    assert shares == alone
    assert sum(shares) == min(count, sum(window.room for window in windows))


def test_equals_take_turns() -> None:
    """Windows as empty as each other get as many."""
    assert share_out(7, [Window(0, 10, 10)] * 3) == [3, 2, 2]
    assert share_out(9, [Window(5, 10, 5), Window(0, 10, 10)]) == [2, 7]
    assert share_out(3, []) == []
