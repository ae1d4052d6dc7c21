"""The face: what people type becomes what was shown, or a value that says why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtns.codecs.digits import PROFILES, Profile, Reading, Status, decode, encode, show

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = PROFILES["key"]
TICKET = PROFILES["ticket"]
SETTLED = {Status.ACCEPTED, Status.REPAIRED}
profiles = st.sampled_from(list(PROFILES.values()))
repairing = st.sampled_from([profile for profile in PROFILES.values() if profile.repairs])


@st.composite
def codes(
    draw: st.DrawFn, kinds: st.SearchStrategy[Profile] = profiles
) -> tuple[Profile, int, int]:
    """Return a profile, a payload and a number of parity groups it can be shown with."""
    profile = draw(kinds)
    parity = draw(st.integers(profile.parity, profile.max_parity))
    return profile, draw(st.integers(0, 2**profile.bits - 1)), parity


class Counting:
    """A MAC that takes one payload and counts how often it was asked."""

    def __init__(self, payload: int | None) -> None:
        self.payload = payload
        self.asked: list[int] = []

    def __call__(self, payload: int) -> bool:
        """Take the one payload."""
        self.asked.append(payload)
        return payload == self.payload


@given(codes(), st.sampled_from([" ", "-", "  ", "\n", "\u2009", "\u00a0", ". "]))
def test_what_was_shown_is_read_back(code: tuple[Profile, int, int], separator: str) -> None:
    """Every profile, payload and parity; boxes, a flat stream, with a MAC and without."""
    profile, payload, parity = code
    groups = encode(profile, payload, parity=parity)
    text = show(groups)
    for entry in (text, text.replace(" ", separator), text.replace(" ", ""), text.split(" ")):
        for check in (None, Counting(payload)):
            reading = decode(profile, entry, check=check)
            assert reading.status is Status.ACCEPTED
            assert (reading.payload, reading.groups) == (payload, groups)
            assert reading.candidates_tried == (check is not None)


@pytest.mark.parametrize(
    "zero", ["\u0660", "\u06f0", "\u0966", "\uff10", "\U0001d7ce", "\u0e50", "\u1040"]
)
def test_digits_of_every_script_are_understood(zero: str) -> None:
    """Arabic-Indic, Persian, Devanagari, full-width, mathematical, Thai and Burmese digits."""
    text = show(encode(KEY, 2**127 + 12345))
    foreign = "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)
    assert decode(KEY, foreign).payload == 2**127 + 12345


def test_marks_of_writing_direction_are_invisible() -> None:
    """Right-to-left marks come along when a code is copied."""
    text = show(encode(KEY, 5))
    assert decode(KEY, f"\u200f\u202b{text}\u202c").payload == 5


@given(codes(repairing), st.data())
def test_one_wrong_digit_is_repaired_when_the_mac_agrees(
    code: tuple[Profile, int, int], data: st.DataObject
) -> None:
    """With a parity group, or for a cheque, one wrong digit names its group and costs few tries."""
    profile, payload, parity = code
    if not parity and not profile.neighbours:
        parity = 1
    boxes = show(encode(profile, payload, parity=parity)).split()
    place = data.draw(st.integers(0, len(boxes) - 1))
    digit = data.draw(st.integers(0, 3))
    other = data.draw(st.sampled_from("0123456789".replace(boxes[place][digit], "")))
    boxes[place] = boxes[place][:digit] + other + boxes[place][digit + 1 :]
    check = Counting(payload)
    reading = decode(profile, boxes, check=check, parity=parity)
    if not (profile.neighbours and not parity and place + 1 > profile.groups):
        assert reading.status is Status.REPAIRED
        assert (reading.payload, reading.changed) == (payload, (place + 1,))
    assert reading.candidates_tried == len(check.asked) <= profile.candidates


@given(st.integers(0, 2**128 - 1), st.integers(0, 10), st.data())
@settings(max_examples=200)
def test_44_digits_repair_every_in_group_slip_without_a_mac(
    payload: int, place: int, data: st.DataObject
) -> None:
    """Substitution, transposition, jump transposition, twin, jump twin: with certainty."""
    groups = encode(KEY, payload)
    boxes = show(groups).split()
    box = boxes[place]
    i, gap = data.draw(st.sampled_from([(i, g) for g in (1, 2) for i in range(4 - g)]))
    digits = list(box)
    if box[i] == box[i + gap]:
        digits[i] = digits[i + gap] = data.draw(st.sampled_from("0123456789"))
    elif data.draw(st.booleans()):
        digits[i], digits[i + gap] = digits[i + gap], digits[i]
    else:
        digits[i] = data.draw(st.sampled_from("0123456789"))
    boxes[place] = "".join(digits)
    reading = decode(KEY, boxes)
    assert (reading.payload, reading.groups) == (payload, groups)
    assert reading.changed == (() if boxes[place] == box else (place + 1,))


@given(
    st.integers(0, 2**128 - 1), st.integers(0, 11), st.text("0123456789", min_size=0, max_size=7)
)
def test_48_digits_repair_any_one_group_without_a_mac(payload: int, place: int, typed: str) -> None:
    """However wrong four digits are, or when the box is empty; other lengths when a slip fits."""
    groups = encode(KEY, payload, parity=2)
    boxes = show(groups).split()
    boxes[place] = typed
    reading = decode(KEY, boxes, parity=2)
    assert reading.payload in {payload, None}
    if len(typed) in {0, 4}:
        assert reading.groups == groups


@given(st.integers(0, 2**128 - 1), st.data())
def test_48_digits_never_take_swapped_groups_for_a_code(payload: int, data: st.DataObject) -> None:
    """Neighbours are put back; any other two are never accepted as they stand."""
    boxes = show(encode(KEY, payload, parity=2)).split()
    i, j = sorted(data.draw(st.lists(st.integers(0, 11), min_size=2, max_size=2, unique=True)))
    boxes[i], boxes[j] = boxes[j], boxes[i]
    reading = decode(KEY, boxes, parity=2)
    if j == i + 1:
        assert reading.payload == payload
    else:
        assert reading.payload in {payload, None}
        assert reading.status is not Status.ACCEPTED or boxes[i] == boxes[j]


@given(repairing, st.lists(st.integers(0, 9999), min_size=1, max_size=20), st.integers(0, 40))
def test_the_mac_is_asked_no_more_often_than_allowed(
    profile: Profile, groups: list[int], limit: int
) -> None:
    """Every call is counted, no payload is tested twice, and the limit is kept exactly."""
    check = Counting(None)
    reading = decode(profile, show(groups), check=check, candidates=limit)
    assert reading.payload is None
    assert reading.candidates_tried == len(check.asked) <= limit
    assert len(set(check.asked)) == len(check.asked)
    assert all(0 <= asked < 2**profile.bits for asked in check.asked)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_each_profile_has_its_own_limit(profile: Profile) -> None:
    """16 candidates, 200 for a cheque, 1 where nothing is repaired."""
    most = 0
    for first in range(0, 9900, 331):
        check = Counting(None)
        groups = [
            (first + 97 * place) % 9973 for place in range(profile.groups + 1 * profile.repairs)
        ]
        decode(profile, show(groups), check=check)
        decode(profile, show(groups[: profile.groups]), check=(fewer := Counting(None)))
        most = max(most, len(check.asked), len(fewer.asked))
    assert profile.candidates == {"cheque": 200}.get(profile.name, 16 if profile.repairs else 1)
    assert most <= profile.candidates


@given(st.integers(0, 2**66 - 1), st.integers(0, 4), st.integers(0, 9999))
def test_a_ticket_without_parity_is_tested_once_and_never_searched(
    payload: int, place: int, wrong: int
) -> None:
    """Searching the neighbours would cost eight bits of the tag: one more group is asked for."""
    boxes = show(encode(TICKET, payload)).split()
    boxes[place] = f"{wrong:04d}"
    check = Counting(payload)
    reading = decode(TICKET, boxes, check=check)
    assert len(check.asked) <= 1
    if reading.payload is None:
        assert reading.status in {Status.MORE, Status.SAY_AGAIN}


@given(st.sampled_from(["request", "confirm", "response"]), st.data())
def test_challenges_are_never_repaired(name: str, data: st.DataObject) -> None:
    """One candidate, no group named."""
    profile = PROFILES[name]
    payload = data.draw(st.integers(0, 2**profile.bits - 1))
    typed = data.draw(st.text("0123456789 ", max_size=24))
    check = Counting(payload)
    reading = decode(profile, typed, check=check)
    assert reading.status in {Status.ACCEPTED, Status.REFUSED}
    assert (reading.changed, reading.doubtful) == ((), ())
    assert len(check.asked) <= 1
    if reading.status is Status.ACCEPTED:
        assert reading.groups == encode(profile, payload)


@given(
    code=codes(),
    groups=st.lists(st.integers(0, 9999), min_size=1, max_size=20),
    flat=st.booleans(),
)
def test_nothing_is_accepted_or_repaired_against_the_mac(
    code: tuple[Profile, int, int], groups: list[int], *, flat: bool
) -> None:
    """When the MAC refuses everything there is no payload, however well the code fits."""
    profile, payload, parity = code
    for entry in (show(groups), show(encode(profile, payload, parity=parity))):
        reading = decode(profile, entry, check=lambda _: False, flat=flat)
        assert reading.status not in SETTLED
        assert (reading.payload, reading.groups) == (None, ())


@given(repairing, st.lists(st.integers(0, 9999), min_size=1, max_size=20))
def test_a_repair_without_a_mac_is_a_code(profile: Profile, groups: list[int]) -> None:
    """What is repaired by the code's guarantee is canonical and fits its parity groups."""
    reading = decode(profile, show(groups))
    if reading.status in SETTLED:
        assert reading.payload is not None
        parity = len(reading.groups) - profile.groups
        assert reading.groups == encode(profile, reading.payload, parity=parity)
        assert reading.status is Status.ACCEPTED or parity > 0


def test_a_parity_group_on_demand_settles_what_was_typed_before() -> None:
    """A ticket with a slip asks for one more group; with it appended the slip is repaired."""
    payload = 0x2_DEAD_BEEF_0BAD_CAFE
    boxes = show(encode(TICKET, payload, parity=1)).split()
    assert boxes[3][2] != boxes[3][3]
    slipped = [*boxes[:3], boxes[3][:2] + boxes[3][3] + boxes[3][2], boxes[4]]
    first = decode(TICKET, slipped, check=payload.__eq__)
    assert (first.status, first.candidates_tried) == (Status.MORE, 1)
    assert (
        first.message()
        == "The code does not verify. Ask for one more group and type it after the last one."
    )
    then = decode(TICKET, [*slipped, boxes[5]], check=payload.__eq__)
    assert (then.status, then.payload, then.changed) == (Status.REPAIRED, payload, (4,))
    assert then.message() == "The code verifies after a repair in group 4."


def test_boxes_of_the_wrong_length_are_asked_for_again() -> None:
    """Their lengths are public, so they may be named."""
    boxes = show(encode(TICKET, 77)).split()
    boxes[1], boxes[4] = boxes[1][:3], boxes[4] + "0"
    reading = decode(TICKET, boxes, check=lambda _: False)
    assert (reading.status, reading.doubtful) == (Status.SAY_AGAIN, (2, 5))
    assert reading.message() == "A group has four digits. Ask for groups 2 and 5 again."


def test_a_group_left_out_of_a_key_is_not_a_key_without_parity() -> None:
    """Ten groups are never read as a key that was shown without its parity group."""
    boxes = show(encode(KEY, 3)).split()
    for place in range(11):
        reading = decode(KEY, boxes[:place] + boxes[place + 1 :])
        assert (reading.status, reading.reason) == (Status.REFUSED, "length")
        checked = decode(KEY, boxes[:place] + boxes[place + 1 :], check=(3).__eq__)
        assert checked.payload == 3


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "empty"), (" - ", "empty"), ([], "empty"), (["", ""], "empty"),
        ("7" * 401, "too-long"), (["7"] * 401, "too-long"), ("\x00" * 500, "too-long"),
        ("12a4", "characters"), ("1\x002", "characters"), ("1\u03012", "characters"),
        ("\u00b2345", "characters"), ("\u2460234", "characters"), ("\ud800", "characters"),
        ("1234 5678", "length"), ("7" * 400, "length"), ("1 2 3 4", "length"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_reason(entry: str | list[str], reason: str) -> None:
    """Stable codes, and a sentence for each."""
    reading = decode(KEY, entry)
    assert (reading.status, reading.reason) == (Status.REFUSED, reason)
    assert reading.message().endswith(".")


hostile = st.one_of(
    st.text(max_size=400),
    st.text("0123456789 -\u0660\u0966\uff11\u200b\u0301\x00/.", max_size=400),
    st.text("0123456789", max_size=200),
    st.lists(st.text("0123456789 ", max_size=7), max_size=25),
    st.lists(st.text(max_size=12), max_size=25),
)


@given(
    profile=profiles,
    entry=hostile,
    parity=st.none() | st.integers(0, 3),
    flat=st.booleans(),
    checked=st.booleans(),
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_entry_raises(
    profile: Profile, entry: str | list[str], parity: int | None, *, flat: bool, checked: bool
) -> None:
    """Whatever is typed there is a reading with a sentence, and no digit of the code in it."""
    shown_with = None if parity is None else min(parity, profile.max_parity)
    check: Callable[[int], bool] | None = (lambda _: False) if checked else None
    reading = decode(profile, entry, check=check, parity=shown_with, flat=flat)
    assert reading.message()
    assert all(1 <= place <= profile.groups + 3 for place in reading.doubtful + reading.changed)


def test_misuse_is_an_error() -> None:
    """Numbers of parity groups and candidates that make no sense are the caller's mistake."""
    with pytest.raises(ValueError, match="0 to 3"):
        encode(KEY, 1, parity=4)
    with pytest.raises(ValueError, match="0 to 0"):
        decode(PROFILES["request"], "1234 5678", parity=1)
    with pytest.raises(ValueError, match="128 bits"):
        encode(KEY, 2**128)
    with pytest.raises(ValueError, match="negative"):
        decode(KEY, "1", candidates=-1)


def test_a_reading_keeps_the_code_out_of_its_repr() -> None:
    """Payload and groups may be a key."""
    reading = decode(KEY, show(encode(KEY, 2**127)))
    assert reading == Reading(Status.ACCEPTED, 2**127, reading.groups)
    assert str(reading.groups[0]) not in repr(reading)
    assert str(2**127) not in repr(reading)


def test_no_junk_makes_the_phone_hang() -> None:
    """Every length near a code's, boxes and streams; how long they take the benchmark tells."""
    worst = 0.0
    for profile in PROFILES.values():
        for parity in range(profile.max_parity + 1):
            size = 4 * (profile.groups + parity)
            for length in range(max(size - 6, 1), size + 7):
                digits = ("3141592653589793238462643383279502884197169399375105820974944592" * 2)[
                    :length
                ]
                for entry in (digits, " ".join(digits[i : i + 4] for i in range(0, length, 4))):
                    worst = max(worst, min(spent(profile, entry) for _ in range(3)))
    assert worst < 1


def spent(profile: Profile, entry: str) -> float:
    """Return the seconds one hopeless decode takes."""
    start = time.perf_counter()
    decode(profile, entry, check=lambda _: False)
    return time.perf_counter() - start


def test_a_code_that_fits_its_parity_is_tested_once() -> None:
    """It is another code, not a slip: nothing is searched and nothing more is asked for."""
    check = Counting(8)
    reading = decode(KEY, show(encode(KEY, 7)), check=check)
    assert (reading.status, reading.reason, check.asked) == (Status.REFUSED, "wrong", [7])


def test_an_empty_box_needs_an_equation_to_spare_without_a_mac() -> None:
    """With one parity group any four digits would fit it."""
    for parity, payload in ((1, None), (2, 99)):
        boxes = show(encode(KEY, 99, parity=parity)).split()
        boxes[4] = ""
        reading = decode(KEY, boxes, parity=parity)
        assert reading.payload == payload
        assert decode(KEY, boxes, parity=parity, check=(99).__eq__).payload == 99


def test_two_garbled_groups_are_repaired_by_the_mac_alone() -> None:
    """With three parity groups one equation is left, too little without a MAC."""
    boxes = show(encode(KEY, 99, parity=3)).split()
    boxes[2], boxes[9] = boxes[2][::-1].translate(SHIFTED), boxes[9][::-1].translate(SHIFTED)
    assert decode(KEY, boxes, parity=3).payload is None
    reading = decode(KEY, boxes, parity=3, check=(99).__eq__)
    assert (reading.payload, reading.changed) == (99, (3, 10))


SHIFTED = str.maketrans("0123456789", "1234567850")


@pytest.mark.parametrize("slip", ["two missed", "two doubled", "missed and doubled"])
def test_two_slips_that_move_digits_in_a_stream_are_repaired(slip: str) -> None:
    """With two parity groups and a MAC."""
    text = show(encode(KEY, 2**100 + 7, parity=2)).replace(" ", "")
    first = text[:9] + text[10:] if "missed" in slip else text[:9] + text[8:]
    second = first[:31] + first[32:] if "two missed" in slip else first[:31] + first[30:]
    reading = decode(KEY, second, parity=2, flat=True, check=(2**100 + 7).__eq__)
    assert (reading.status, reading.payload) == (Status.REPAIRED, 2**100 + 7)


def test_boxes_left_empty_behind_the_code_are_ignored() -> None:
    """A phone may show more boxes than the code has."""
    boxes = show(encode(TICKET, 12)).split()
    assert decode(TICKET, [*boxes, "", "", ""], parity=0).payload == 12


def test_competing_repairs_are_not_made_without_a_mac() -> None:
    """A jump twin in one of the clashing columns of a sealed ticket leaves two repairs."""
    sealed = PROFILES["sealed"]
    ambiguous = 0
    for payload in range(400):
        boxes = show(encode(sealed, payload * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**202)).split()
        box = boxes[15]
        if box[0] == box[2]:
            other = str((int(box[0]) + 1) % 10)
            boxes[15] = other + box[1] + other + box[3]
            reading = decode(sealed, boxes)
            assert reading.changed in {(16,), ()}
            ambiguous += reading.reason == "ambiguous"
    assert ambiguous > 0


@given(st.integers(0, 2**128 - 1), st.integers(0, 10), st.integers(0, 9999))
def test_a_garbled_group_with_one_parity_group_is_tried_last(
    payload: int, place: int, wrong: int
) -> None:
    """Given candidates enough the MAC finds it; with the profile's own limit it may not."""
    boxes = show(encode(KEY, payload)).split()
    boxes[place] = f"{wrong:04d}"
    assert decode(KEY, boxes, check=payload.__eq__, candidates=1000).payload == payload
    assert decode(KEY, boxes, check=payload.__eq__).payload in {payload, None}
