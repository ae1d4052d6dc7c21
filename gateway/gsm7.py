"""The alphabet of short messages: 3GPP TS 23.038, default alphabet and its extension table."""

from __future__ import annotations

from typing import Final

MESSAGE_SEPTETS: Final = 160

_TABLE: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE: Final = _TABLE.index("\x1b")
_EXTENSION_CODES: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_EXTENSION_CHARACTERS: Final = {code: character for character, code in _EXTENSION_CODES.items()}

BASIC: Final = frozenset(_TABLE) - {"\x1b"}
"""Characters of one septet; the 128th code is the escape to the extension table."""

EXTENSION: Final = frozenset(_EXTENSION_CODES)
"""Characters of two septets."""
_OUTSIDE: Final = "\x80"
_CODES: Final = (
    dict.fromkeys(range(128), _OUTSIDE)
    | {ord(character): chr(_TABLE.index(character)) for character in BASIC}
    | {ord(character): chr(_ESCAPE) + chr(code) for character, code in _EXTENSION_CODES.items()}
)
"""What is written for a character; what is outside the alphabet is not written in ASCII."""
_AS_IN_ASCII: Final = bytes(
    code for code in range(128) if chr(code) in BASIC and _TABLE.index(chr(code)) == code
)
"""Codes that stand for the same character in ASCII: letters, figures and most marks."""


def septets(text: str) -> int | None:
    """Count the septets *text* takes; None if a character is outside the alphabet."""
    if text.isascii() and not text.encode().translate(None, _AS_IN_ASCII):
        return len(text)
    codes = text.translate(_CODES)
    return len(codes) if codes.isascii() else None


def refusal(text: str) -> str | None:
    """Tell why *text* is not one short message, or None if it is."""
    length = septets(text)
    if length is None:
        return "the text has characters outside the GSM-7 alphabet"
    if length > MESSAGE_SEPTETS:
        return f"the text takes {length} septets; one message has {MESSAGE_SEPTETS}"
    return None


def encode(text: str) -> bytes:
    """Write *text* as its codes, one septet an octet.

    Raises:
        ValueError: a character is outside the alphabet.
    """
    if text.isascii() and not (octets := text.encode()).translate(None, _AS_IN_ASCII):
        return octets
    codes = text.translate(_CODES)
    if not codes.isascii():
        raise ValueError("the text has characters outside the GSM-7 alphabet")
    return codes.encode("ascii")


def decode(codes: bytes) -> str:
    """Read a text from its codes, one septet an octet; an escape before no known code is a space.

    Raises:
        ValueError: an octet is above 127.
    """
    if not codes.translate(None, _AS_IN_ASCII):
        return codes.decode("ascii")
    if not codes.isascii():
        raise ValueError("no septets: an octet is above 127")
    if _ESCAPE not in codes:
        return codes.decode("ascii").translate(_TABLE)
    text, escaped = [], False
    for code in codes:
        if escaped:
            text.append(_EXTENSION_CHARACTERS.get(code, " "))
        elif code != _ESCAPE:
            text.append(_TABLE[code])
        escaped = code == _ESCAPE and not escaped
    return "".join(text)
