"""Numbers in addresses of pages: sealed, so that no history or log tells them."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from dtns.sam.protocol.numbers import Number

_KEY_OCTETS: Final = 32
_LONGEST: Final = 100


class Cloak:
    """Seals and opens numbers under a key that lives as long as this process."""

    def __init__(self, key: bytes | None = None) -> None:
        self._siv = AESSIV(key or secrets.token_bytes(_KEY_OCTETS))

    def seal(self, number: Number) -> str:
        """Return a reference to a number, the same each time."""
        return base64.urlsafe_b64encode(self._siv.encrypt(number.encode(), None)).decode()

    def open(self, reference: str) -> Number | None:
        """Return the number of a reference; None if it is none, or of a former process."""
        try:
            sealed = base64.urlsafe_b64decode(reference[:_LONGEST].encode())
            return Number(self._siv.decrypt(sealed, None).decode())
        except (InvalidTag, ValueError, binascii.Error, UnicodeError):
            return None
