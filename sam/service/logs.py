"""The service's log on stderr: readable on a terminal, one JSON object a line elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogBeginner
from zope.interface import implementer

from dtns.gateway.errors import GatewayError
from dtns.sam.errors import SamError

_QUIET: Final = ("twisted.", "log_legacy", "stdout")


def begin_logging(stream: TextIO | None = None) -> None:
    """Send this process's log to *stream*, by default stderr, in the form that suits it."""
    stream = stream or sys.stderr
    observer = TextObserver(stream) if stream.isatty() else JsonObserver(stream)
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def announce(stream: TextIO, facts: Mapping[str, Any]) -> None:
    """Write one JSON line of facts that a script waits for."""
    stream.write(json.dumps(facts) + "\n")
    stream.flush()


@implementer(ILogObserver)
class TextObserver:
    """Writes `time level message` lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        if _is_of_interest(event):
            text = _message(event)
            level = event["log_level"].name
            self._stream.write(f"{_time(event)} {level} {text}\n")
            self._stream.flush()


@implementer(ILogObserver)
class JsonObserver:
    """Writes JSON lines: time, level, event, message, and what else the event tells."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        if _is_of_interest(event):
            told = {
                key: value
                for key, value in event.items()
                if not key.startswith("log_") and isinstance(value, str | int | float)
            }
            fields = {"time": _time(event), "level": event["log_level"].name, "event": "log"}
            announce(self._stream, {**fields, "message": _message(event), **told})


def _is_of_interest(event: LogEvent) -> bool:
    level = event.get("log_level", LogLevel.info)
    quiet = str(event.get("log_namespace", "")).startswith(_QUIET)
    return bool(level > LogLevel.info if quiet else level > LogLevel.debug)


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")


def _message(event: LogEvent) -> str:
    """Return the text of an event, with a traceback where the fault was not foreseen."""
    text = formatEvent(event)
    failure = event.get("log_failure")
    if failure is None:
        return text
    if isinstance(failure.value, SamError | GatewayError):
        return f"{text}: {failure.value}"
    return f"{text}: {failure.getTraceback()}"
