"""A typed ask that a person sends by SMS: the holder's number, then the 12 digits."""

from __future__ import annotations

from typing import Final

from dtns.codecs.digits import PROFILES, decode
from dtns.codecs.keyed import digits_of
from dtns.sam.errors import NumberError
from dtns.sam.issuing.typed import Typing
from dtns.sam.protocol.numbers import Number, is_number, parse_number

_CODE_DIGITS: Final = 12
_LONGEST: Final = 60


def read_typed_text(sender: str, text: str) -> Typing | None:
    """Return the typed ask that *sender* wrote as *text*, None if it is none.

    The number begins with its plus; the digits may be set apart as one likes.
    """
    text = text.strip()
    if not text.startswith("+") or len(text) > _LONGEST:
        return None
    digits = (digits_of(text[1:]) or "").replace(" ", "")
    holder, code = digits[:-_CODE_DIGITS], digits[-_CODE_DIGITS:]
    bits = decode(PROFILES["ask"], code).payload if is_number(holder) else None
    try:
        asker = parse_number(sender)
    except NumberError:
        return None
    return None if bits is None else Typing(asker, Number(holder), bits)
