"""AES and what is built on it: CMAC, the SP 800-108 derivation, SIV, one block.

Everything a SIM computes is here, and all of it is AES.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.octets import Key

BLOCK_OCTETS: Final = 16
_FIRST_BLOCK: Final = (1).to_bytes(4)
_OPENINGS: Final = {label: label.prefix + b"\0" for label in Label}


class Prf:
    """AES-CMAC under one key (RFC 4493), set up once and used many times."""

    __slots__ = ("_cmac",)

    def __init__(self, key: bytes) -> None:
        self._cmac = CMAC(algorithms.AES(key))

    def mac(self, message: bytes) -> bytes:
        """Return the 16-octet AES-CMAC of *message*."""
        cmac = self._cmac.copy()
        cmac.update(message)
        return cmac.finalize()

    def derive(self, label: Label, context: bytes, octets: int = BLOCK_OCTETS) -> Key:
        """Derive *octets* of key: SP 800-108 counter mode, 32-bit counter and length.

        The fixed input is label || 00 || context || length in bits, where the label is the
        two octets version and type.
        """
        fixed = _fixed_input(label, context, octets)
        stream = self.mac(_FIRST_BLOCK + fixed)
        if octets == BLOCK_OCTETS:
            return Key(stream)
        for block in range(2, -(-octets // BLOCK_OCTETS) + 1):
            stream += self.mac(block.to_bytes(4) + fixed)
        return Key(stream[:octets])


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the 16-octet AES-CMAC of *message* under a key that is used for no other now."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def derive(key: bytes, label: Label, context: bytes) -> Key:
    """Derive 16 octets as Prf.derive does, below a key that is used for nothing else now."""
    return Key(cmac(key, _FIRST_BLOCK + _fixed_input(label, context, BLOCK_OCTETS)))


def _fixed_input(label: Label, context: bytes, octets: int) -> bytes:
    """Return what each block's number goes before."""
    return _OPENINGS[label] + context + (octets * 8).to_bytes(4)


def top_bits(mac: bytes, bits: int) -> int:
    """Return the first *bits* bits of *mac* as an integer."""
    return int.from_bytes(mac) >> (len(mac) * 8 - bits)


def same(left: int, right: int) -> bool:
    """Compare two tags of at most 64 bits in constant time."""
    return hmac.compare_digest(left.to_bytes(8), right.to_bytes(8))


def siv_seal(key: bytes, plaintext: bytes, associated: list[bytes]) -> bytes:
    """Encrypt with AES-SIV (RFC 5297): 16 octets of synthetic IV, then the ciphertext."""
    return AESSIV(key).encrypt(plaintext, associated)


def siv_open(key: bytes, sealed: bytes, associated: list[bytes]) -> bytes | None:
    """Decrypt what siv_seal made; None unless it is authentic in every octet."""
    if len(sealed) < BLOCK_OCTETS:
        return None
    try:
        return AESSIV(key).decrypt(sealed, associated)
    except InvalidTag:
        return None


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Encrypt one 16-octet block under a key that is never used for a second one."""
    return _one_block(key, block, encrypt=True)


def decrypt_block(key: bytes, block: bytes) -> bytes:
    """Undo encrypt_block."""
    return _one_block(key, block, encrypt=False)


def _one_block(key: bytes, block: bytes, *, encrypt: bool) -> bytes:
    if len(block) != BLOCK_OCTETS:
        raise ValueError(f"one block is {BLOCK_OCTETS} octets, not {len(block)}")
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 (one block under its own key)
    stream = cipher.encryptor() if encrypt else cipher.decryptor()
    return stream.update(block) + stream.finalize()
