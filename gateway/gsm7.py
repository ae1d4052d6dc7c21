"""The alphabet of short messages: 3GPP TS 23.038, default alphabet and its extension table."""

from __future__ import annotations

from typing import Final

MESSAGE_SEPTETS: Final = 160

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one septet; the 128th code is the escape to the extension table."""

EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters of two septets."""


def septets(text: str) -> int | None:
    """Count the septets *text* takes; None if a character is outside the alphabet."""
    count = 0
    for character in text:
        if character in BASIC:
            count += 1
        elif character in EXTENSION:
            count += 2
        else:
            return None
    return count


def refusal(text: str) -> str | None:
    """Tell why *text* is not one short message, or None if it is."""
    length = septets(text)
    if length is None:
        return "the text has characters outside the GSM-7 alphabet"
    if length > MESSAGE_SEPTETS:
        return f"the text takes {length} septets; one message has {MESSAGE_SEPTETS}"
    return None
