"""Requests and results as JSON lines, for the admin socket; sans-I/O."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar, cast, get_args

import cattrs

from dtns.sam.errors import ConfigError, KeyFileError, SamError, StoreError, UnreachableError
from dtns.sam.protocol.numbers import Number, is_number
from dtns.sam.protocol.octets import Key
from dtns.sam.service import requests as ask
from dtns.sam.service.requests import Refusal, Request

_R = TypeVar("_R")

MAX_LINE: Final = 1024 * 1024
"""Octets in a request or a result, its newline included."""

_KINDS: Final = (
    ask.Enrol,
    ask.ListParties,
    ask.ShowParty,
    ask.SetSuspended,
    ask.Rekey,
    ask.Renew,
    ask.EndLock,
    ask.EndPinLock,
    ask.LoadPurse,
    ask.Refund,
    ask.CheckLedger,
    ask.Withdraw,
    ask.RotateMaster,
    ask.ListIssues,
    ask.ShowIssue,
    ask.GetStatus,
    ask.ListGateways,
    ask.MoveGateway,
    ask.Purge,
    ask.GetVitals,
    ask.Retry,
    ask.ImportAsks,
)
_BY_NAME: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in _KINDS}
_FAULTS: Final[dict[str, type[SamError]]] = {
    kind.__name__: kind for kind in (StoreError, KeyFileError, ConfigError)
}


_INT_BITS: Final = 63
_JUNK: Final = (
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
    cattrs.BaseValidationError,
)
"""What reading something of another shape can raise."""


class JunkError(ValueError):
    """A line is no request; the text says why."""


def result_kind(kind: type[Any]) -> type[Any]:
    """Return the class of a request's result."""
    (base,) = (base for base in kind.__orig_bases__ if base.__origin__ is Request)
    return cast("type[Any]", get_args(base)[0])


def encode_request(request: Request[Any]) -> bytes:
    """Write a request as a line."""
    body = _CONVERTER.unstructure(request)
    return _line({"request": type(request).__name__, "body": body})


def decode_request(line: bytes) -> Request[Any]:
    """Read a request; JunkError if the line is none."""
    try:
        values = json.loads(line)
        kind = _BY_NAME[values["request"]]
        return cast("Request[Any]", _CONVERTER.structure(values["body"], kind))
    except _JUNK:
        raise JunkError(f"no request; known are {', '.join(_BY_NAME)}") from None


def encode_result(result: Any) -> bytes:
    """Write a result, or a refusal, as a line."""
    name = "refusal" if isinstance(result, Refusal) else "result"
    return _line({name: _CONVERTER.unstructure(result)})


def encode_fault(fault: Exception) -> bytes:
    """Write why a request could not be done."""
    names = [name for name, kind in _FAULTS.items() if isinstance(fault, kind)]
    return _line({"fault": names[0] if names else "SamError", "message": str(fault)})


def decode_result(line: bytes, request: Request[_R]) -> _R | Refusal:
    """Read the result of *request*; raises the fault that the line tells of.

    Raises UnreachableError if whoever answered is no Sam of this version.
    """
    try:
        values = json.loads(line)
        if "fault" in values:
            _raise(values["fault"], values["message"])
        if "refusal" in values:
            return _CONVERTER.structure(values["refusal"], Refusal)
        return cast("_R", _CONVERTER.structure(values["result"], result_kind(type(request))))
    except _JUNK:
        raise UnreachableError(
            "what listens at the admin socket does not answer as this version of Sam does"
        ) from None


def _raise(name: str, message: str) -> None:
    raise _FAULTS.get(name, UnreachableError)(message)


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def _number(value: Any, _: Any) -> Number:
    if not isinstance(value, str) or not is_number(value):
        raise ValueError("no number")
    return Number(value)


def _exactly(kind: type[Any]) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind or (kind is int and value.bit_length() > _INT_BITS):
            raise ValueError(f"not {kind.__name__}")
        return value

    return structure


_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)
for _kind in (int, bool, str):
    _CONVERTER.register_structure_hook(_kind, _exactly(_kind))
_CONVERTER.register_structure_hook_func(lambda kind: kind is Number, _number)
_CONVERTER.register_unstructure_hook(Key, bytes.hex)
_CONVERTER.register_structure_hook(Key, lambda text, _: Key.parse(text))
