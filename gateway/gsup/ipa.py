"""IPA, the framing below GSUP: frames of a length and a stream, and the exchange of names.

As in Osmocom's `osmo-hlr` and its manual, chapter "Generic Subscriber Update Protocol".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dtns.gateway.gsup.errors import GsupError

if TYPE_CHECKING:
    from collections.abc import Iterator

CCM: Final = 0xFE
OSMO: Final = 0xEE
GSUP: Final = 0x05
"""The extension of the stream OSMO that carries GSUP."""
PING, PONG, ID_GET, ID_RESP, ID_ACK = 0x00, 0x01, 0x04, 0x05, 0x06
LONGEST: Final = 1200
_SERIAL: Final = 0x00
_UNIT_NAME: Final = 0x01
_UNIT: Final = 0x08
_HEADER: Final = 3


def frame(stream: int, payload: bytes) -> bytes:
    """Write one frame: the length of the payload, the stream, the payload."""
    return len(payload).to_bytes(2, "big") + bytes([stream]) + payload


def gsup_frame(message: bytes) -> bytes:
    """Write a GSUP message as a frame."""
    return frame(OSMO, bytes([GSUP]) + message)


class Frames:
    """Cuts a stream of octets into frames; holds at most one that is not whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the stream and payload of each frame that *data* completes.

        Raises:
            GsupError: a frame is longer than 1,200 octets; nothing more can be read.
        """
        self._rest += data
        while len(self._rest) >= _HEADER:
            length = int.from_bytes(self._rest[:2], "big")
            if length > LONGEST:
                raise GsupError(f"a frame of {length} octets; at most {LONGEST} are read")
            end = _HEADER + length
            if len(self._rest) < end:
                return
            stream, payload = self._rest[2], self._rest[_HEADER:end]
            self._rest = self._rest[end:]
            yield stream, payload


def answer(payload: bytes, name: str) -> bytes | None:
    """Return the frame that answers a message of connection management, None if there is none.

    To who asks for names, this end is *name*; a ping gets its pong.
    """
    match payload[:1]:
        case b"\x00":
            return frame(CCM, bytes([PONG]))
        case b"\x04":
            return frame(CCM, bytes([ID_RESP]) + _names(name))
        case b"\x06":
            return frame(CCM, bytes([ID_ACK]))
    return None


def _names(name: str) -> bytes:
    """Return the names by which an HLR knows this end, each ended by a zero octet."""
    values = ((_UNIT, "0/0/0"), (_UNIT_NAME, name), (_SERIAL, name))
    return b"".join(_name(tag, value.encode("ascii") + b"\0") for tag, value in values)


def _name(tag: int, value: bytes) -> bytes:
    return (len(value) + 1).to_bytes(2, "big") + bytes([tag]) + value
