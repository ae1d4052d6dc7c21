"""The line on which an emulated modem takes orders: JSON, a line each way, on a Unix socket."""

from __future__ import annotations

import inspect
import json
import socket
from typing import TYPE_CHECKING, Any, Final, Self

from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import IListeningPort

    from dtns.gateway.modem.emulator.modem import EmulatedModem

OPERATIONS: Final = frozenset(
    {
        *("faults", "card", "network", "slots", "store", "deliver", "settle", "release", "say"),
        *("noise", "hang_up", "unplug", "replug", "reset", "status", "sent", "typed"),
    }
)
"""The methods of `EmulatedModem` that can be ordered: {"op": NAME, …arguments}."""
MAX_LINE: Final = 1 << 24
_PATIENCE_SECONDS: Final = 10.0


class _Orders(LineOnlyReceiver):
    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE

    def __init__(self, modem: EmulatedModem) -> None:
        self._modem = modem

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        assert self.transport is not None
        self.transport.write(json.dumps(self._obey(line)).encode() + b"\n")

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            name = order.pop("op")
            if name not in OPERATIONS:
                known = ", ".join(sorted(OPERATIONS))
                return {"done": False, "reason": f"unknown op {name!r}; known are {known}"}
            operation = getattr(self._modem, name)
            inspect.signature(operation).bind(**order)
            return {"done": True} | (operation(**order) or {})
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as fault:
            return {"done": False, "reason": str(fault)}


async def listen(reactor: Any, path: Path, modem: EmulatedModem) -> IListeningPort:
    """Take orders for *modem* at the Unix socket *path*, mode 0600."""
    path.unlink(missing_ok=True)  # noqa: ASYNC240 (one system call)
    endpoint: Any = UNIXServerEndpoint
    listening: IListeningPort = await endpoint(reactor, str(path), mode=0o600).listen(
        Factory.forProtocol(lambda: _Orders(modem))
    )
    return listening


class Orders:
    """The other end of that line, blocking: `Orders(path).order("unplug")`."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_PATIENCE_SECONDS)
        self._socket.connect(str(path))
        self._answers = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def order(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Give one order and return what it answers; ValueError if it was not carried out."""
        self._socket.sendall(json.dumps({"op": op, **arguments}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._answers.readline())
        if not answer.pop("done"):
            raise ValueError(answer["reason"])
        return answer
