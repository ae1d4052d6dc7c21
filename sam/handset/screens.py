"""What a feature phone shows and what its keys do on one screen; nothing here touches a SIM."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, Protocol

from attrs import asdict, frozen

from dtns.codecs.entry import Entry

OK: Final = "ok"
CLEAR: Final = "clear"
END: Final = "end"
UP: Final = "up"
DOWN: Final = "down"
KEYS: Final = frozenset((*"0123456789*#", OK, CLEAR, END, UP, DOWN))
"""All keys there are."""


class Tone(Enum):
    """How a screen is meant."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    ASKING = "asking"
    """Something is wanted of the person before it goes on."""


@frozen
class Box:
    """One group of an entry: its digits so far, its mark, and whether it is the one typed into."""

    digits: str
    mark: str
    open: bool


@frozen
class Screen:
    """Everything on the display.

    code holds the groups of digits to read out or, where repaired names some (from 1), those that
    should have been typed; keys are what OK and the key beside it do.
    """

    title: str
    text: str = ""
    tone: Tone = Tone.PLAIN
    items: tuple[str, ...] = ()
    selected: int = 0
    code: tuple[str, ...] = ()
    repaired: tuple[int, ...] = ()
    boxes: tuple[Box, ...] = ()
    typed: str | None = None
    keys: tuple[str, str] = ("OK", "Back")

    @property
    def facts(self) -> dict[str, Any]:
        """The screen as a JSON object."""
        return asdict(self) | {"tone": self.tone.value}


class Move(Enum):
    """Where a key leads that leads to no screen of its own."""

    STAY = "stay"
    BACK = "back"
    HOME = "home"


class View(Protocol):
    """One screen with the keys that work on it."""

    @property
    def screen(self) -> Screen:
        """What it shows now."""

    def press(self, key: str) -> View | Move:
        """Take a key of KEYS but END; return what is shown next."""


class Menu:
    """Titles to choose from, by their digits, or up and down and OK."""

    def __init__(
        self,
        title: str,
        items: Iterable[tuple[str, Callable[[], View | Move]]],
        keys: tuple[str, str] = ("Select", "Back"),
        text: str = "",
    ) -> None:
        self._title = title
        self._items = tuple(items)
        self._keys = keys
        self._text = text
        self._selected = 0

    @property
    def screen(self) -> Screen:
        """The titles."""
        titles = tuple(title for title, _ in self._items)
        return Screen(
            self._title, self._text, items=titles, selected=self._selected, keys=self._keys
        )

    def press(self, key: str) -> View | Move:
        """Move, or go where the chosen title leads."""
        if key == CLEAR:
            return Move.BACK
        if key in {UP, DOWN}:
            step = 1 if key == DOWN else -1
            self._selected = (self._selected + step) % len(self._items)
        elif key.isdigit() and 0 < int(key) <= len(self._items):
            self._selected = int(key) - 1
            return self._items[self._selected][1]()
        elif key == OK:
            return self._items[self._selected][1]()
        return Move.STAY


class Told:
    """A sentence, perhaps with digits to read out; OK leads on, by default home."""

    def __init__(self, screen: Screen, then: Callable[[], View | Move] | None = None) -> None:
        self.screen = screen
        self._then = then

    def press(self, key: str) -> View | Move:
        """Go on, or home."""
        if key == OK and self._then is not None:
            return self._then()
        return Move.HOME if key in {OK, CLEAR} else Move.STAY


class Line:
    """A number that is typed as one line: at most so many digits, shown or covered.

    With *point* the key * types the decimal point.
    """

    def __init__(
        self,
        title: str,
        then: Callable[[str], View | Move],
        *,
        length: int = 15,
        covered: bool = False,
        point: bool = False,
        text: str = "",
    ) -> None:
        self._title = title
        self._then = then
        self._length = length
        self._covered = covered
        self._point = point
        self._text = text
        self._typed = ""

    @property
    def screen(self) -> Screen:
        """The line so far."""
        shown = "•" * len(self._typed) if self._covered else self._typed
        erase = "Erase" if self._typed else "Back"
        return Screen(self._title, self._text, typed=shown, keys=("OK", erase))

    def press(self, key: str) -> View | Move:
        """Type, erase, or hand the line over."""
        if key == OK and self._typed:
            return self._then(self._typed)
        if key == CLEAR and not self._typed:
            return Move.BACK
        if key == CLEAR:
            self._typed = self._typed[:-1]
        elif len(self._typed) < self._length and (key.isdigit() or (key == "*" and self._point)):
            self._typed += "." if key == "*" else key
        return Move.STAY


class Boxes:
    """A code that is typed box by box; it is handed over once it is whole, or on OK.

    What takes it may call `ask_for` with another entry and stay.
    """

    def __init__(
        self,
        title: str,
        entry: Entry,
        then: Callable[[Boxes], View | Move],
        text: str = "",
        tone: Tone = Tone.PLAIN,
    ) -> None:
        self._title = title
        self.entry = entry
        self._then = then
        self._text = text
        self._tone = tone

    @property
    def screen(self) -> Screen:
        """The boxes so far."""
        entry = self.entry
        boxes = tuple(
            Box(digits, mark.value, place == entry.at)
            for place, (digits, mark) in enumerate(zip(entry.boxes, entry.marks, strict=True))
        )
        erase = "Erase" if any(entry.boxes) else "Back"
        return Screen(self._title, self._text, self._tone, boxes=boxes, keys=("OK", erase))

    def ask_for(self, entry: Entry, text: str, tone: Tone = Tone.ASKING) -> Move:
        """Go on with *entry*, and say why."""
        self.entry, self._text, self._tone = entry, text, tone
        return Move.STAY

    def press(self, key: str) -> View | Move:
        """Type into a box, close it (#), erase, or hand the entry over."""
        if key == CLEAR and not any(self.entry.boxes):
            return Move.BACK
        if key == CLEAR:
            self.entry = self.entry.erased()
        elif key == "#":
            self.entry = self.entry.next_box()
        elif key.isdigit():
            self.entry = self.entry.pressed(key)
            if self.entry.complete:
                return self._then(self)
        elif key == OK and any(self.entry.boxes):
            return self._then(self)
        return Move.STAY
