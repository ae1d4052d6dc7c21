"""M4 and M5: the holder challenges, the asker confirms, 26 bits each way (section 9)."""

from __future__ import annotations

from typing import Final

from dtns.sam.protocol.labels import Label
from dtns.sam.protocol.session import Context, code

COUNT_BITS: Final = 10
PROOF_BITS: Final = 16
CONFIRMATION_BITS: Final = 26
MAX_COUNT: Final = (1 << COUNT_BITS) - 1


def challenge(session: bytes, context: Context, count: int) -> int:
    """Return M4: the holder's *count* of challenges under this key (1 to 1023), then a proof.

    The count is the nonce: it never repeats under one key.
    """
    return count << PROOF_BITS | challenge_proof(session, context, count)


def split_challenge(bits: int) -> tuple[int, int]:
    """Return the count and the proof of a challenge's 26 bits."""
    return bits >> PROOF_BITS, bits & ((1 << PROOF_BITS) - 1)


def challenge_proof(session: bytes, context: Context, count: int) -> int:
    """Return the 16 bits by which the holder shows that it has the key."""
    return code(session, Label.CHALLENGE, context, PROOF_BITS, count.to_bytes(2))


def confirmation(session: bytes, context: Context, count: int) -> int:
    """Return M5: the 26 bits by which the asker answers the challenge numbered *count*."""
    return code(session, Label.CONFIRMATION, context, CONFIRMATION_BITS, count.to_bytes(2))
