"""Telling systemd that Sam is ready, alive and stopping: datagrams to the socket that it names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from attrs import frozen
from twisted.internet.task import LoopingCall

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"
_MICROSECONDS: Final = 1e6


@frozen
class Supervisor:
    """systemd, or whoever started this process as it would; nobody where address is None.

    watchdog is after how many seconds of silence it takes the process for dead, None for never.
    """

    address: str | None = None
    watchdog: float | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Supervisor:
        """Return the one that the environment names."""
        address = environment.get("NOTIFY_SOCKET") or None
        micro = environment.get("WATCHDOG_USEC", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watched = address and for_us and micro.isascii() and micro.isdecimal() and int(micro)
        return cls(address, int(micro) / _MICROSECONDS if watched else None)

    def tell(self, state: str) -> None:
        """Tell it; one that does not listen is let be."""
        if self.address is None:
            return
        address = self.address
        if address.startswith("@"):
            address = "\0" + address[1:]
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), address)

    def keep_alive(self, reactor: Any) -> LoopingCall | None:
        """Tell it, three times in each watchdog's time, that the reactor turns."""
        if self.watchdog is None:
            return None
        loop = LoopingCall(self.tell, ALIVE)
        loop.clock = reactor
        loop.start(self.watchdog / 3)
        return loop
