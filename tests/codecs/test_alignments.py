"""Ways to lay an entry over the groups."""

from __future__ import annotations

from dtns.codecs.alignments import Alignment, alignments


def listed(typed: tuple[str, ...] | str, groups: int, events: int) -> set[tuple[str, int, int]]:
    """Return the alignments as text, with the slips they explain and their cost."""
    found = list(alignments(typed, groups, events))
    return {(" ".join(each.boxes), each.events, each.cost) for each in found}


def test_boxes_of_the_right_number_stand_or_swap() -> None:
    """Neighbours that differ may have been swapped."""
    assert listed(("1234", "1234", "56"), 3, 1) == {
        ("1234 1234 56", 0, 0),
        ("1234 56 1234", 1, 6),
    }
    assert listed(("1234", "5678"), 2, 0) == {("1234 5678", 0, 0)}


def test_a_box_too_few_was_left_out_somewhere() -> None:
    """The group that was left out is empty text and counts as a slip of its own."""
    assert listed(("1", "2"), 3, 1) == {(" 1 2", 0, 0), ("1  2", 0, 0), ("1 2 ", 0, 0)}


def test_a_box_too_many_was_said_twice_or_strayed_in() -> None:
    """A repeated group costs less than a foreign one."""
    assert listed(("1", "2", "2"), 2, 1) == {("2 2", 1, 12), ("1 2", 1, 6)}


def test_two_boxes_off_is_no_code() -> None:
    """There is no alignment at all."""
    assert listed(("1", "2"), 4, 2) == set()
    assert listed(("1", "2", "3", "4"), 2, 2) == set()


def test_a_stream_of_the_right_length_may_hide_swaps_over_a_border() -> None:
    """Neighbouring digits, and digits over one between, each way."""
    assert listed("12345678", 2, 1) == {
        ("1234 5678", 0, 0),
        ("5678 1234", 1, 6),
        ("1235 4678", 1, 5),
        ("1254 3678", 1, 7),
        ("1236 5478", 1, 7),
    }


def test_a_stream_one_off_has_a_group_one_off() -> None:
    """Each group may be the short or the long one."""
    assert listed("1234567", 2, 1) == {("123 4567", 0, 0), ("1234 567", 0, 0)}
    assert listed("123456789", 2, 1) == {("12345 6789", 0, 0), ("1234 56789", 0, 0)}


def test_a_stream_a_group_off_lacks_or_repeats_one() -> None:
    """Whole groups are left out or said twice."""
    assert listed("1234", 2, 1) == {(" 1234", 0, 0), ("1234 ", 0, 0)}
    assert listed("123412345678", 2, 1) == {("1234 5678", 1, 6), ("1234 1234", 1, 12)}


def test_two_slips_in_a_stream_make_two_groups_off() -> None:
    """A missed and an added key, two missed, two added."""
    assert ("123 45678", 0, 0) in listed("12345678", 2, 2)
    assert ("12345 678", 0, 0) in listed("12345678", 2, 2)
    assert listed("123456", 2, 2) == {("12 3456", 0, 0), ("123 456", 0, 0), ("1234 56", 0, 0)}
    assert ("12345 67890", 0, 0) in listed("1234567890", 2, 2)
    assert listed("123456", 2, 1) == set()


def test_only_what_stands_as_typed_says_so() -> None:
    """One alignment of a whole entry, none of a shifted one."""
    assert [each for each in alignments(("1", "2"), 2, 1) if each.as_typed] == [
        Alignment(("1", "2"), as_typed=True)
    ]
    assert not any(each.as_typed for each in alignments("1234567", 2, 1))
