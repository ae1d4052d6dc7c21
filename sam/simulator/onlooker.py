"""What somebody who listens to the network can make of a message, with no key at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dtns.sam.protocol.answer import read_answer
from dtns.sam.protocol.ask import Form, read_ask
from dtns.sam.protocol.log import read_log
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.sync import read_sync
from dtns.sam.protocol.wire import MalformedError

_HEADER_OCTETS: Final = 6
_FORMS: Final = {
    Form.DERIVED: "20 digits",
    Form.BOTH: "20 or 68 digits",
    Form.RANDOM: "68 digits, random key",
}


def overheard(text: str) -> dict[str, Any]:
    """Return what a message says to anyone: its kind, its request's counter, and its fields.

    kind is ask, answer, news, log or other; fields are pairs of a name and what stands there.
    """
    for read in _READERS:
        try:
            return read(text)
        except MalformedError:
            continue
    return {"kind": "other", "counter": None, "fields": [["text", text[:40]]]}


def _ask(text: str) -> dict[str, Any]:
    received = read_ask(text)
    ask = received.ask
    pays = "asker" if ask.direction is Direction.ASKER_PAYS else "holder"
    fields = [
        ["asker", f"+{ask.asker.number}"],
        ["request", str(ask.counter)],
        ["wants a key with", f"+{ask.holder}"],
        ["limit, payer", f"class {ask.limit}, {pays}"],
        ["form", _FORMS[ask.form]],
        ["MAC", received.mac.hex(" ", 4)],
    ]
    return {"kind": "ask", "counter": ask.counter, "fields": fields}


def _answer(text: str) -> dict[str, Any]:
    received = read_answer(text)
    sealed = received.octets[_HEADER_OCTETS:]
    fields = [["answers request", str(received.counter)], _sealed(sealed)]
    return {"kind": "answer", "counter": received.counter, "fields": fields}


def _news(text: str) -> dict[str, Any]:
    received = read_sync(text)
    sealed = received.octets[_HEADER_OCTETS:]
    fields = [["message of Sam's own", str(received.counter)], _sealed(sealed)]
    return {"kind": "news", "counter": None, "fields": fields}


def _log(text: str) -> dict[str, Any]:
    received = read_log(text)
    fields = [["phone", f"+{received.party.number}"], ["entries from", str(received.first)]]
    return {"kind": "log", "counter": None, "fields": [*fields, _sealed(received.sealed)]}


def _sealed(sealed: bytes) -> list[str]:
    return [f"sealed, {len(sealed)} octets", sealed.hex(" ", 4)]


_READERS: Final[tuple[Callable[[str], dict[str, Any]], ...]] = (_ask, _answer, _news, _log)


def altered(text: str) -> str:
    """Return the message with one of its octets changed, still a message by its form."""
    place = len(text) // 2
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]
