"""The admin socket: requests of the operator's commands to a running Sam."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver

from dtns.gateway.errors import AddressTakenError
from dtns.gateway.loopback.socketfile import SocketFile
from dtns.sam.errors import ConfigError, SamError
from dtns.sam.service.administration import Administration
from dtns.sam.service.adminwire import (
    MAX_LINE,
    JunkError,
    decode_request,
    encode_fault,
    encode_result,
)

CONNECTIONS: Final = 32


class AdminSocket:
    """Listens at *path*, mode 0600, and has *administration* answer."""

    def __init__(self, path: Path, administration: Administration, reactor: Any) -> None:
        self._path = path
        self._administration = administration
        self._reactor = reactor
        self._file = SocketFile(os.fspath(path))
        self._port: IListeningPort | None = None
        self._connections: set[AdminConnection] = set()

    async def start(self) -> None:
        """Listen; ConfigError if the path is taken or cannot be used."""
        try:
            self._file.claim()
        except AddressTakenError as fault:
            raise ConfigError(f"sam.admin_socket cannot be used: {fault}") from fault
        endpoint: Any = UNIXServerEndpoint
        try:
            listening = endpoint(self._reactor, os.fspath(self._path), mode=0o600)
            self._port = await listening.listen(Factory.forProtocol(self._connection))
        except (CannotListenError, OSError) as fault:
            self._file.release()
            raise ConfigError(f"cannot listen at {self._path}: {fault}") from fault

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
            self._port = None
        for connection in list(self._connections):
            connection.hang_up()
        self._file.release()

    def _connection(self) -> AdminConnection:
        return AdminConnection(self._administration, self._connections)


class AdminConnection(LineOnlyReceiver):
    """One command's connection: a request a line, its result a line."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE
    _log = Logger()

    def __init__(self, administration: Administration, connections: set[AdminConnection]) -> None:
        self._administration = administration
        self._connections = connections

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Turn the connection away if there are too many."""
        self._connections.add(self)
        if len(self._connections) > CONNECTIONS:
            self.hang_up()

    def connectionLost(self, reason: Any = None) -> None:  # noqa: ARG002, N802 (Twisted's name)
        """Forget the connection."""
        self._connections.discard(self)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Answer one request."""
        assert self.transport is not None
        self.transport.write(self._answer(line))

    def hang_up(self) -> None:
        """Close once what was written has left."""
        assert self.transport is not None
        self.transport.loseConnection()

    def _answer(self, line: bytes) -> bytes:
        try:
            return encode_result(self._administration.answer(decode_request(line)))
        except (JunkError, SamError) as fault:
            return encode_fault(fault)
        except Exception as fault:  # noqa: BLE001 (a fault of one request must not stop Sam)
            self._log.failure("a request failed", event="fault")
            return encode_fault(fault)
