"""Where a loopback network listens: `unix:PATH` or `tcp:HOST:PORT`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from dtns.gateway.errors import AddressError

SUN_PATH_OCTETS: Final = 107
HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix socket's path, at most 107 octets in the file system's encoding."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host name or IP address, and a port; port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp:{host}:{self.port}"


Address = UnixAddress | TcpAddress


def parse_address(text: str) -> Address:
    """Read `unix:PATH` or `tcp:HOST:PORT` (IPv6 hosts in brackets).

    Raises:
        AddressError: it is neither, or the path is too long for a socket.
    """
    kind, _, rest = text.partition(":")
    if kind == "unix":
        return _unix(rest)
    if kind == "tcp":
        return _tcp(text, rest)
    raise AddressError(f"{text!r} is no network address: write unix:PATH or tcp:HOST:PORT")


def _unix(path: str) -> UnixAddress:
    if not path or "\0" in path:
        raise AddressError("unix: needs the path of a socket, as in unix:dtns-data/network.sock")
    length = len(os.fsencode(path))
    if length > SUN_PATH_OCTETS:
        raise AddressError(
            f"{path} is too long for a Unix socket: {length} octets, at most {SUN_PATH_OCTETS}; "
            "choose a directory with a shorter path, or tcp:127.0.0.1:PORT"
        )
    return UnixAddress(path)


def _tcp(text: str, rest: str) -> TcpAddress:
    host, _, port = rest.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"{text!r}: write an IPv6 host in brackets, as in tcp:[::1]:7700")
    if not host or re.fullmatch("[0-9]{1,5}", port) is None or int(port) > HIGHEST_PORT:
        raise AddressError(f"{text!r}: write tcp:HOST:PORT with a port from 0 to 65535")
    return TcpAddress(host, int(port))
