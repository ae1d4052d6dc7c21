"""A wire between Sam and the network that writes down what passes, and can be cut or go deaf.

    python tests/faults/tap.py unix:WHERE-SAM-ATTACHES unix:THE-NETWORK LOG

SIGUSR1 cuts every connection at once, mid-line if it falls so; SIGUSR2 makes it deaf, keeping what
comes, or lets it hear again. LOG gets a JSON line for each delivery and submission, each of
Sam's acknowledgements and each of the network's, in the order in which they passed.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

TOLD = {"deliver", "received", "submit", "accepted", "rejected"}
FIELDS = ("id", "network_id", "from", "to", "text")


class Tap:
    """Pairs of connections, and the log."""

    def __init__(self, listen: str, upstream: str, log: Path) -> None:
        self._upstream = upstream
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._selector = selectors.DefaultSelector()
        self._other: dict[socket.socket, socket.socket] = {}
        self._tails: dict[socket.socket, bytes] = {}
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(listen)
        self._server.listen(16)
        self._selector.register(self._server, selectors.EVENT_READ)
        self.cut_now = self.deaf = False

    def run(self) -> None:
        """Carry on for ever."""
        while True:
            ready = [key.fileobj for key, _ in self._selector.select(0.05)]
            if self.cut_now:
                self.cut_now = False
                for line in list(self._other):
                    self._hang_up(line)
                continue
            if self.deaf:
                time.sleep(0.02)
            for line in ready:
                assert isinstance(line, socket.socket)
                if line is self._server:
                    self._accept()
                elif line in self._other and not self.deaf:
                    self._carry(line)

    def _accept(self) -> None:
        near, _ = self._server.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self._upstream)
        except OSError:
            near.close()
            far.close()
            return
        self._other |= {near: far, far: near}
        for line in (near, far):
            self._tails[line] = b""
            self._selector.register(line, selectors.EVENT_READ)

    def _carry(self, line: socket.socket) -> None:
        try:
            octets = line.recv(65536)
            if octets:
                self._note(line, octets)
                self._other[line].sendall(octets)
                return
        except OSError:
            pass
        self._hang_up(line)

    def _hang_up(self, line: socket.socket) -> None:
        if line not in self._other:
            return
        for end in (line, self._other[line]):
            del self._other[end], self._tails[end]
            self._selector.unregister(end)
            end.close()

    def _note(self, line: socket.socket, octets: bytes) -> None:
        *whole, self._tails[line] = (self._tails[line] + octets).split(b"\n")
        notes = []
        for text in whole:
            with suppress(ValueError):
                said = json.loads(text)
                if said.get("op") in TOLD:
                    kept = {name: said[name] for name in FIELDS if name in said}
                    notes.append(json.dumps({"op": said["op"], **kept}) + "\n")
        if notes:
            os.write(self._log, "".join(notes).encode())


def main() -> None:
    """Run the command line above."""
    listen, upstream, log = sys.argv[1:]
    tap = Tap(listen.removeprefix("unix:"), upstream.removeprefix("unix:"), Path(log))

    def cut(*_: object) -> None:
        tap.cut_now = True

    def deafen(*_: object) -> None:
        tap.deaf = not tap.deaf

    signal.signal(signal.SIGUSR1, cut)
    signal.signal(signal.SIGUSR2, deafen)
    sys.stderr.write('{"event": "ready"}\n')
    sys.stderr.flush()
    tap.run()


if __name__ == "__main__":
    main()
