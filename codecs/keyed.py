"""What was keyed in: text to boxes of digits, whatever digits and separators the phone has."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dtns.codecs.columns import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 400
"""Characters an entry may have before it is refused unread."""

_BOX_LENGTHS = frozenset({WIDTH - 1, WIDTH, WIDTH + 1})
_SEPARATORS = frozenset("\t\n\r\x0b\x0c.,:;/_|\u2212\u00b7")
_SEPARATOR_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Pd"})


def keystroke(character: str) -> str | None:
    """Return a digit as 0-9, a separator as a space, an invisible character as nothing.

    None for what belongs in no code.
    """
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    category = unicodedata.category(character)
    if character in _SEPARATORS or category in _SEPARATOR_CATEGORIES:
        return " "
    return "" if category == "Cf" else None


def digits_of(text: str) -> str | None:
    """Return the text with digits as 0-9 and each run of separators as one space.

    Every Unicode decimal digit counts and invisible format characters are dropped. None when
    anything else is in it.
    """
    if text.isascii() and text.replace(" ", "").isdigit():
        return " ".join(text.split())
    kept: list[str] = []
    for character in text:
        key = keystroke(character)
        if key is None:
            return None
        kept.append(key)
    return " ".join("".join(kept).split())


def boxes_of(entry: str | Sequence[str], *, flat: bool) -> tuple[str, ...] | str | None:
    """Return the boxes that were filled, or one string of digits when there were none.

    A text is boxed when separators cut it into pieces of three to five digits; separators that
    cut it in any other way say nothing about groups. A sequence is boxed as it stands, empty
    boxes included. None for characters that belong in no code.
    """
    if isinstance(entry, str):
        text = digits_of(entry)
        if text is None:
            return None
        pieces = tuple(text.split())
        boxed = len(pieces) > 1 and {*map(len, pieces)} <= _BOX_LENGTHS
        return pieces if boxed and not flat else "".join(pieces)
    read = [digits_of(box) for box in entry]
    boxes = tuple(box.replace(" ", "") for box in read if box is not None)
    if len(boxes) != len(read):
        return None
    return "".join(boxes) if flat else boxes
