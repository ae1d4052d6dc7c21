"""Asks and answers as lines of the loopback network, written by the network's end."""

from __future__ import annotations

import json
import socket
from itertools import count
from pathlib import Path

from askers import Arrived

from dtns.gateway.loopback import operations as op
from dtns.gateway.loopback.wire import encode


class LoopbackFraming:
    """The wire protocol of gateway/README.md, its network's side."""

    name = "loopback lines over a Unix socket"

    def __init__(self, folder: Path, _window: int) -> None:
        self._path = str(folder / "bench.sock")
        self.settings = f'[gateway.loopback]\nendpoint = "unix:{self._path}"\n'
        self._ids = count(1)
        self._rest = b""
        self._number = ""

    def listen(self) -> socket.socket:
        """Listen where Sam connects to."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._path)
        listener.listen()
        return listener

    def accept(self, connection: socket.socket) -> None:
        """Let the number be attached that Sam asks for."""
        line = connection.makefile("rb").readline()
        self._number = json.loads(line)["number"]
        connection.sendall(encode(op.Attached(self._number)))

    def ask(self, sender: str, text: str) -> bytes:
        """Write a message to Sam."""
        return encode(op.Deliver(f"n{next(self._ids)}", sender, self._number, text))

    def take(self, octets: bytes) -> tuple[Arrived, bytes]:
        """Read what Sam sent: acknowledgements, and answers, which are taken."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        texts, acknowledged, replies = [], 0, []
        for values in map(json.loads, lines):
            match values["op"]:
                case "submit":
                    texts.append((values["to"], values["text"]))
                    replies.append(_accepted(values["id"]))
                case "received":
                    acknowledged += 1
                case "ping":
                    replies.append(encode(op.Pong()))
        return Arrived(texts, acknowledged), b"".join(replies)


def _accepted(reference: str) -> bytes:
    return b'{"op":"accepted","id":"%b","network_id":"a%b"}\n' % (
        reference.encode(),
        reference.encode(),
    )
