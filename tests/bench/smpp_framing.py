"""Asks and answers as PDUs of SMPP 3.4, written by the SMSC's end."""

from __future__ import annotations

import socket
import struct
import sys
from itertools import count
from pathlib import Path

from askers import Arrived

_HEADER = struct.Struct(">IIII")
_BIND_TRANSCEIVER, _SUBMIT_SM, _DELIVER_SM, _ENQUIRE_LINK, _UNBIND = 0x9, 0x4, 0x5, 0x15, 0x6
_RESPONSE = 0x80000000
_SETTINGS = """\
[gateway.loopback]
enabled = false

[gateway.smpp.bench]
host = "127.0.0.1"
port = {port}
system_id = "bench"
password_file = "smpp.password"
window = {window}
"""


class SmppFraming:
    """An SMSC with one transceiver bind. Its delivery receipts are left out."""

    name = "SMPP 3.4 over TCP"

    def __init__(self, folder: Path, window: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        password = folder / "smpp.password"
        password.write_text("bench")
        password.chmod(0o600)
        self.settings = _SETTINGS.format(port=self._port, window=window)
        self._sequence, self._ids = count(1), count(1)
        self._rest = b""

    def listen(self) -> socket.socket:
        """Listen where Sam connects to."""
        return socket.create_server(("127.0.0.1", self._port))

    def accept(self, connection: socket.socket) -> None:
        """Take Sam's bind."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length, command, _, sequence = _HEADER.unpack(connection.recv(_HEADER.size))
        connection.recv(length - _HEADER.size)
        if command != _BIND_TRANSCEIVER:
            sys.exit(f"no bind_transceiver, but {command:#x}")
        connection.sendall(_pdu(_BIND_TRANSCEIVER | _RESPONSE, sequence, b"bench\0"))

    def ask(self, sender: str, text: str) -> bytes:
        """Write a deliver_sm."""
        addresses = b"\0\1\1%b\0\0\0%b\0" % (sender.lstrip("+").encode(), b"7267")
        body = b"%b%b%c%b" % (addresses, bytes(9), len(text), text.encode())
        return _pdu(_DELIVER_SM, next(self._sequence), body)

    def take(self, octets: bytes) -> tuple[Arrived, bytes]:
        """Read what Sam sent: acknowledgements, and answers, which are taken."""
        whole, at = self._rest + octets, 0
        texts, acknowledged, replies = [], 0, []
        while len(whole) - at >= _HEADER.size:
            length, command, status, sequence = _HEADER.unpack_from(whole, at)
            if len(whole) - at < length:
                break
            if command == _DELIVER_SM | _RESPONSE:
                if status:
                    sys.exit(f"an ask was not taken: status {status:#x}")
                acknowledged += 1
            elif command == _SUBMIT_SM:
                texts.append(_answer(whole, at + _HEADER.size))
                body = b"%x\0" % next(self._ids)
                replies.append(_pdu(_SUBMIT_SM | _RESPONSE, sequence, body))
            elif command in (_ENQUIRE_LINK, _UNBIND):
                replies.append(_pdu(command | _RESPONSE, sequence, b""))
            at += length
        self._rest = whole[at:]
        return Arrived(texts, acknowledged), b"".join(replies)


def _answer(pdus: bytes, at: int) -> tuple[str, str]:
    """Return the recipient and the text of the submit_sm whose body begins there."""
    source = pdus.index(b"\0", at) + 3
    recipient = pdus.index(b"\0", source) + 3
    end = pdus.index(b"\0", recipient)
    schedule = end + 4
    validity = pdus.index(b"\0", schedule) + 1
    length = pdus.index(b"\0", validity) + 5
    text = pdus[length + 1 : length + 1 + pdus[length]]
    return f"+{pdus[recipient:end].decode()}", text.decode()


def _pdu(command: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), command, 0, sequence) + body
