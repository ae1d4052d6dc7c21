"""Lines of the loopback network's wire protocol: framing and checking, sans-I/O.

One JSON object a line, UTF-8, at most 4,096 octets with its newline. The network, the carrier and
the phone all speak through this module.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final, NoReturn, get_args

from dtns.gateway.errors import WireError
from dtns.gateway.loopback.operations import FromClient, FromNetwork, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_OCTETS: Final = 4096


class _Layout:
    """The wire's names, checks and defaults of one operation's fields."""

    def __init__(self, kind: type[Operation]) -> None:
        self.kind = kind
        self.op = kind.__name__.lower()
        self.fields = [
            (field.name, field.metadata["name"] or field.name, field.metadata["check"])
            for field in fields(kind)
        ]
        self.names = {name for _, name, _ in self.fields}
        self.required = {
            field.metadata["name"] or field.name
            for field in fields(kind)
            if field.default is MISSING
        }
        self.defaults = {field.name: field.default for field in fields(kind)}

    def write(self, operation: Operation) -> dict[str, Any]:
        values: dict[str, Any] = {"op": self.op}
        for attribute, name, (check, meaning) in self.fields:
            value = getattr(operation, attribute)
            if value == self.defaults[attribute]:
                continue
            if not check(value):
                raise WireError(f"{self.op}: {name} must be {meaning}")
            values[name] = value
        return values

    def read(self, values: dict[str, Any]) -> Operation:
        given = values.keys()
        if unknown := given - self.names:
            raise WireError(f"{self.op}: unknown field {_shown(min(unknown))}")
        if missing := self.required - given:
            raise WireError(f"{self.op}: {min(missing)} is missing")
        arguments = {}
        for attribute, name, (check, meaning) in self.fields:
            if name in values:
                if not check(values[name]):
                    raise WireError(f"{self.op}: {name} must be {meaning}")
                arguments[attribute] = values[name]
        return self.kind(**arguments)


_CLIENT: Final = {layout.op: layout for layout in map(_Layout, get_args(FromClient))}
_NETWORK: Final = {layout.op: layout for layout in map(_Layout, get_args(FromNetwork))}
_BY_KIND: Final = {layout.kind: layout for layout in (*_CLIENT.values(), *_NETWORK.values())}


def encode(operation: Operation) -> bytes:
    """Write *operation* as one line, newline included.

    Raises:
        WireError: a field is outside its range, or the line longer than 4,096 octets.
    """
    values = _BY_KIND[type(operation)].write(operation)
    line = json.dumps(values, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    if len(line) > LINE_OCTETS:
        raise WireError(f"{values['op']}: the line takes {len(line)} octets, at most {LINE_OCTETS}")
    return line


def decode_from_client(line: bytes) -> FromClient:
    """Read a line that a client sent.

    Raises:
        WireError: it is no operation of a client's; the message says what is wrong with it.
    """
    return _decode(line, _CLIENT)  # type: ignore[return-value]  # the table holds just these


def decode_from_network(line: bytes) -> FromNetwork:
    """Read a line that the network sent.

    Raises:
        WireError: it is no operation of the network's; the message says what is wrong with it.
    """
    return _decode(line, _NETWORK)  # type: ignore[return-value]  # the table holds just these


def _decode(line: bytes, layouts: dict[str, _Layout]) -> Operation:
    try:
        values = json.loads(line.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise WireError("the line is not one JSON object in UTF-8") from None
    if not isinstance(values, dict):
        raise WireError("the line is not one JSON object in UTF-8")
    op = values.pop("op", None)
    layout = layouts.get(op) if isinstance(op, str) else None
    if layout is None:
        raise WireError(f"unknown op {_shown(op)}; known here: {', '.join(layouts)}")
    return layout.read(values)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _shown(value: Any) -> str:
    return ascii(value)[:40]


class Lines:
    """Cuts a stream of octets into lines; a line too long ends it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield each line that *octets* completes, without its newline, empty ones left out.

        Raises:
            WireError: a line is longer than 4,096 octets; nothing more can be read.
        """
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            _check_length(line)
            if line.strip():
                yield line
        _check_length(self._rest)


def _check_length(line: bytes) -> None:
    if len(line) >= LINE_OCTETS:
        raise WireError(f"a line is longer than {LINE_OCTETS} octets")
