"""The 20 digits of an STS token (IEC 62055-41): a 64-bit block and two class bits.

The class takes bits 28 and 27 of the token; the block's own bits there move to 65 and 64.
"""

from __future__ import annotations

from dtns.codecs.keyed import digits_of

DIGITS = 20
BITS = 66
CLASSES = 4

_BLOCK = (1 << 64) - 1
_PLACE = 27
_PAIR = 3


def token_digits(block: int, token_class: int) -> str:
    """Return the 20 digits of a token, leading zeros kept.

    Args:
        block: the token's 64-bit data block, encrypted or not.
        token_class: 0 to 3.

    Raises:
        ValueError: the block has more than 64 bits or there is no such class.
    """
    if block < 0 or block > _BLOCK:
        raise ValueError("an STS block has 64 bits")
    if not 0 <= token_class < CLASSES:
        raise ValueError("an STS class is 0, 1, 2 or 3")
    moved = block >> _PLACE & _PAIR
    token = block & ~(_PAIR << _PLACE) | token_class << _PLACE | moved << 64
    return f"{token:0{DIGITS}d}"


def token_block(entry: str) -> tuple[int, int] | None:
    """Return the block and the class of 20 digits, however they are separated.

    None for anything but 20 digits, and for the third of all 20-digit numbers that are no token.
    """
    digits = (digits_of(entry) or "").replace(" ", "")
    if len(digits) != DIGITS or int(digits) >> BITS:
        return None
    token = int(digits)
    block = token & _BLOCK & ~(_PAIR << _PLACE) | token >> 64 << _PLACE
    return block, token >> _PLACE & _PAIR
