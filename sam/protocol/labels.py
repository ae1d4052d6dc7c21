"""The registry of type octets: every message, key derivation and MAC input starts with one."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

VERSION: Final = 1
"""The protocol version, first octet of every message, derivation label and MAC input."""


class Label(IntEnum):
    """What an octet string is for; no two uses share a value (sam/README.md, section 3)."""

    ASK = 0x01
    ANSWER = 0x02
    SYNC = 0x03
    TYPED_ASK = 0x04
    LOG = 0x06

    PARTY_ASK = 0x10
    PARTY_ANSWER = 0x11
    PARTY_TICKET = 0x12
    PARTY_SEAL = 0x13
    PARTY_SYNC = 0x14
    TYPED_CIPHER = 0x15
    TYPED_TAG = 0x16
    WITNESS = 0x18
    JOURNAL = 0x19
    AUDIT = 0x1A
    BACKUP = 0x1B

    SESSION = 0x20
    SEAL_CIPHER = 0x21
    SEAL_TAG = 0x22

    TICKET = 0x30
    CHALLENGE = 0x31
    CONFIRMATION = 0x32
    EXPRESS = 0x33
    CHEQUE = 0x34
    CHARGE = 0x35
    RESPONSE = 0x36
    RECEIPT = 0x37

    UNIVERSAL = 0x40
    SMALL_CHARGE = 0x41
    SMALL_RESPONSE = 0x42
    SMALL_RECEIPT = 0x43
    PIN = 0x44
    LOG_KEY = 0x45

    @property
    def prefix(self) -> bytes:
        """The two octets, version and type, that open an input under this label."""
        return _PREFIXES[self]


_PREFIXES = {label: bytes([VERSION, label]) for label in Label}
