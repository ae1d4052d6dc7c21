"""An entry while it is typed: boxes that fill, a mark for each from keyless checks alone."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from dtns.codecs.columns import WIDTH, P
from dtns.codecs.digits import Profile, Reading, decode
from dtns.codecs.keyed import keystroke

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ERASE = frozenset("\b\x7f")
_LONGEST_BOX = 2 * WIDTH
_NEXT_BOX = "/"


class Mark(Enum):
    """What can be told about one box without any key."""

    EMPTY = "empty"
    OPEN = "open"
    """The box that is being typed; too few digits so far."""
    OK = "ok"
    SHORT = "short"
    LONG = "long"
    NO_GROUP = "no-group"
    """Four digits above 9972: no group has this value."""


@frozen
class Entry:
    """A code that is being typed; every change returns a new entry.

    Digits fill the box they are typed into. Until the first separator is typed a full box passes
    on to the next by itself; from then on separators alone do, so that a missed or doubled key
    shows at its box.
    """

    profile: Profile
    parity: int
    """Parity groups that are expected."""
    boxes: tuple[str, ...]
    at: int = 0
    """The box that is being typed, counted from 0; ``len(boxes)`` when all have been."""
    again: tuple[int, ...] = ()
    """Boxes still to be typed again after this one, counted from 0."""
    separated: bool = False
    """Whether the person types separators."""

    @classmethod
    def begin(cls, profile: Profile, parity: int | None = None) -> Entry:
        """Return an empty entry for a code shown with this many parity groups.

        Raises:
            ValueError: the profile never shows that many.
        """
        expected = profile.parity if parity is None else parity
        if not 0 <= expected <= profile.max_parity:
            raise ValueError(f"{profile.name} shows 0 to {profile.max_parity} parity groups")
        return cls(profile, expected, ("",) * (profile.groups + expected))

    @classmethod
    def resume(cls, profile: Profile, saved: str) -> Entry:
        """Return the entry that was saved as :attr:`saved`.

        Raises:
            ValueError: it is no saved entry of this profile.
        """
        boxes = tuple(saved.split(_NEXT_BOX))
        entry = cls.begin(profile, len(boxes) - profile.groups)
        if not all(not box or (box.isascii() and box.isdigit()) for box in boxes):
            raise ValueError("a saved entry holds digits and nothing else")
        whole = [len(box) >= WIDTH for box in boxes]
        at = whole.index(False) if False in whole else len(boxes)
        later = tuple(i for i, full in enumerate(whole) if i > at and not full)
        sequential = not any(boxes[i] for i in later)
        return evolve(
            entry,
            boxes=boxes,
            at=at,
            again=() if sequential else later,
            separated=not sequential or any(len(box) > WIDTH for box in boxes),
        )

    @property
    def saved(self) -> str:
        """Return the entry as text to resume from; it is as secret as the code."""
        return _NEXT_BOX.join(self.boxes)

    @property
    def complete(self) -> bool:
        """Return whether every box holds something and the one being typed is full."""
        at_end = self.at >= len(self.boxes) or len(self.boxes[self.at]) >= WIDTH
        return at_end and all(self.boxes)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Return one mark a box."""
        return tuple(self._mark(place, box) for place, box in enumerate(self.boxes))

    def _mark(self, place: int, box: str) -> Mark:
        if len(box) < WIDTH:
            here = Mark.OPEN if place == self.at else Mark.SHORT
            return here if box or place == self.at else Mark.EMPTY
        if len(box) > WIDTH:
            return Mark.LONG
        return Mark.OK if int(box) < P else Mark.NO_GROUP

    def typed(self, text: str) -> Entry:
        """Return the entry after these keys.

        Digits of any script and separators are understood, backspace and delete erase; what
        belongs in no code changes nothing.
        """
        entry = self
        for key in text:
            stroke = keystroke(key)
            if key in _ERASE:
                entry = entry.erased()
            elif stroke == " ":
                entry = entry.next_box()
            elif stroke:
                entry = entry.pressed(stroke)
        return entry

    def pressed(self, digit: str) -> Entry:
        """Return the entry with one more digit, 0-9, in its box or in the next."""
        entry = self
        if not self.separated and self.at < len(self.boxes) and len(self.boxes[self.at]) == WIDTH:
            entry = self._advanced()
        place = min(entry.at, len(entry.boxes) - 1)
        if len(entry.boxes[place]) >= _LONGEST_BOX:
            return entry
        boxes = self._with(place, entry.boxes[place] + digit)
        return evolve(entry, boxes=boxes, at=place)

    def next_box(self) -> Entry:
        """Return the entry after a separator: the box is closed unless it is empty."""
        if self.at >= len(self.boxes) or not self.boxes[self.at]:
            return self
        return evolve(self._advanced(), separated=True)

    def erased(self) -> Entry:
        """Return the entry without the digit typed last."""
        place = min(self.at, len(self.boxes) - 1)
        if not self.boxes[place] and place and not self.again:
            place -= 1
        return evolve(self, boxes=self._with(place, self.boxes[place][:-1]), at=place)

    def _advanced(self) -> Entry:
        following, again = self.at + 1, self.again
        if again:
            following, again = again[0], again[1:]
        elif self.boxes[following : following + 1] != ("",):
            following = len(self.boxes)
        return evolve(self, at=following, again=again)

    def _with(self, place: int, digits: str) -> tuple[str, ...]:
        return (*self.boxes[:place], digits, *self.boxes[place + 1 :])

    def asked_again(self, places: Iterable[int]) -> Entry:
        """Return the entry with these boxes, counted from 1, empty and to be typed once more."""
        wanted = sorted({place - 1 for place in places} & {*range(len(self.boxes))})
        if not wanted:
            return self
        boxes = tuple("" if place in wanted else box for place, box in enumerate(self.boxes))
        return evolve(self, boxes=boxes, at=wanted[0], again=tuple(wanted[1:]), separated=True)

    def with_more(self) -> Entry:
        """Return the entry with a box for one more parity group.

        Raises:
            ValueError: the profile has no further parity group.
        """
        if self.parity >= self.profile.max_parity:
            raise ValueError(f"{self.profile.name} has {self.parity} parity groups at most")
        boxes = (*self.boxes, "")
        return evolve(self, parity=self.parity + 1, boxes=boxes, at=len(self.boxes), again=())

    def reading(
        self, check: Callable[[int], bool] | None = None, candidates: int | None = None
    ) -> Reading:
        """Return what the boxes say, see :func:`dtns.codecs.digits.decode`."""
        flat = not self.separated and all(self.boxes)
        return decode(
            self.profile,
            self.boxes,
            check=check,
            parity=self.parity,
            flat=flat,
            candidates=candidates,
        )
