"""Fair turns: who brings little does not wait for who brings much."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from dtns.gateway.fairqueue import NEWCOMERS, FairQueue, has_room


def filled(*items: str) -> FairQueue[str]:
    """Make a queue of items, each named by its sender and a number."""
    queue: FairQueue[str] = FairQueue()
    for item in items:
        queue.add(item[0], item)
    return queue


def taken(queue: FairQueue[str], count: int) -> list[str]:
    """Take so many."""
    return [queue.take() for _ in range(count)]


def test_senders_take_turns() -> None:
    """One item of each in turn, each sender's in order."""
    queue = filled("a1", "a2", "a3", "b1", "b2", "c1")
    assert taken(queue, 6) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(queue) == 0


def test_a_newcomer_waits_for_no_backlog() -> None:
    """However many always have something waiting, who has nothing waiting comes next."""
    queue: FairQueue[str] = FairQueue()
    for number in range(3000):
        queue.add(f"flooder {number % 1000}", f"forged {number}")
    taken(queue, 1500)
    queue.add("phone", "ask")
    assert queue.take() == "ask"


def test_newcomers_starve_nobody() -> None:
    """An endless stream of new senders leaves some turns to those that wait."""
    queue = filled("a1", "a2", "a3", "a4")
    events = []
    for number in range(4 * (NEWCOMERS + 1)):
        queue.add(f"new {number}", f"new {number}")
        events.append(queue.take())
    assert [event for event in events if event.startswith("a")] == ["a1", "a2", "a3", "a4"]


def test_what_was_taken_can_be_put_back() -> None:
    """It comes first again, and nobody's order changes."""
    queue = filled("a1", "a2", "b1", "b2")
    queue.put_back([("a", item) for item in taken(queue, 1)])
    order = taken(queue, 4)
    assert order[0] == "a1"
    assert [item for item in order if item[0] == "a"] == ["a1", "a2"]
    assert [item for item in order if item[0] == "b"] == ["b1", "b2"]


def test_who_has_much_leaves_room() -> None:
    """One sender fills half of the places, ten fill ten elevenths, and a newcomer finds one."""
    for senders, each in ((1, 50), (3, 25), (9, 10)):
        held = dict.fromkeys(range(senders), 0)
        for _ in range(100):
            for sender, own in held.items():
                held[sender] += has_room(own, sum(held.values()), 100)
        assert set(held.values()) == {each}
        assert has_room(0, sum(held.values()), 100)
    assert not has_room(0, 100, 100)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from("abcde")),
            st.sampled_from([("take", ""), ("take all", ""), ("discard", ""), ("count", "")]),
        ),
        max_size=200,
    )
)
def test_nothing_is_lost_or_overtaken(steps: list[tuple[str, str]]) -> None:
    """Each sender's items come in order, once; emptied, the queue remembers almost nobody."""
    queue: FairQueue[tuple[str, int]] = FairQueue()
    waiting: dict[str, deque[tuple[str, int]]] = {sender: deque() for sender in "abcde"}
    for number, (step, sender) in enumerate(steps):
        count = sum(map(len, waiting.values()))
        if step == "add":
            queue.add(sender, (sender, number))
            waiting[sender].append((sender, number))
        elif step == "take" and count:
            item = queue.take()
            assert waiting[item[0]].popleft() == item
        elif step == "discard" and count:
            item = max(items[-1] for items in waiting.values() if items)
            waiting[item[0]].pop()
            queue.discard(item[0], item)
            queue.discard(item[0], item)
        elif step == "take all":
            for item in queue.take_all():
                assert waiting[item[0]].popleft() == item
            assert not any(waiting.values())
        elif step == "count":
            assert all(queue.of(sender) == len(items) for sender, items in waiting.items())
        assert len(queue) == sum(map(len, waiting.values()))
    while len(queue):
        item = queue.take()
        assert waiting[item[0]].popleft() == item


def test_memory_is_bounded_by_what_waits() -> None:
    """Senders that come once and are served, or whose item is dropped, are forgotten."""
    queue = filled("z1", "z2")
    for number in range(10_000):
        queue.add(f"sender {number}", f"item {number}")
        queue.add(f"other {number}", f"another {number}")
        queue.discard(f"other {number}", f"another {number}")
        queue.add("z", f"z {number}")
        taken(queue, 2)
    assert len(queue) == 2
    assert len(queue._items) <= NEWCOMERS + 3
    assert len(queue._newcomers) + len(queue._others) == len(queue._items)
