"""The emulated modem's serial port: a pseudo-terminal, found by a link to its device."""

from __future__ import annotations

import os
import tty
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_DONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_READ_OCTETS = 65536


class PtyPort(FileDescriptor):
    """A pseudo-terminal; the symbolic link *path* leads to its device while it is plugged in."""

    def __init__(self, reactor: Any, path: Path, received: Callable[[bytes], None]) -> None:
        super().__init__(reactor)
        self._path = path
        self._received = received
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(self.device)
        new.replace(path)
        self.connected = 1
        self.startReading()  # type: ignore[no-untyped-call]  # Twisted's

    def fileno(self) -> int:
        """Return the modem's end."""
        return self._master

    def doRead(self) -> Any:  # noqa: N802 (Twisted's name)
        """Hand over what was typed."""
        try:
            octets = os.read(self._master, _READ_OCTETS)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_DONE
        self._received(octets)
        return None

    def writeSomeData(self, data: bytes) -> Any:  # noqa: N802 (Twisted's name)
        """Write what fits."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:
            return CONNECTION_DONE

    def unplug(self, *, gone: bool = True) -> None:
        """Hang up; *gone*, the link goes too, as the device does when a modem is pulled out."""
        self.stopReading()  # type: ignore[no-untyped-call]  # Twisted's
        self.stopWriting()  # type: ignore[no-untyped-call]  # Twisted's
        self.connected, self.disconnected = 0, 1
        if gone:
            with suppress(OSError):
                self._path.unlink()
        os.close(self._master)
        os.close(self._slave)
