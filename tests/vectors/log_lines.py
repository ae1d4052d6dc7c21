"""The lines of logs.jsonl: what a SIM sends of its log (section 18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import reference as ref
from lines import Line, flipped, octets
from money import LOAD, STATEMENT, Entry, Logger, log_head, log_octets

ASK_KEY = octets("ask key", 16)
NUMBER, OTHER = "254700123456", "25670012345"
SHORTEST, LONGEST = "2348012", "987654321098765"
FIRST = 1 << 16 | 1
NEVER = (4, 8)
PAID = Entry(0, OTHER, 1, 1, 1, 0, 25000, 150)


def log_line(entries: list[Entry], first: int = FIRST, **sim: Any) -> Line:
    """Write one message and what is in it."""
    logger = replace(Logger(NUMBER, 1, ASK_KEY), **sim)
    (text,) = logger.texts(first, entries)
    return {
        "ask_key": ASK_KEY.hex(),
        "text": text,
        "number": logger.number,
        "generation": logger.generation,
        "first": first,
        "currency": logger.currency,
        "entries": [asdict(entry) for entry in entries],
    }


def own(kind: int, number: int, amount: int, week: int = 150, party: str = NUMBER) -> Entry:
    """Give a load or a statement."""
    return Entry(kind, party, 0, 0, 0, number, amount, week)


def logs() -> Iterator[Line]:
    """Give messages that open, and messages that do not."""
    for kind in range(16):
        if kind in {STATEMENT, LOAD, *NEVER}:
            continue
        mode = kind % 4
        small = mode == 3
        number = {0: 0, 1: 63, 2: 1023, 3: 65535}[mode]
        key = (0, 0, 255) if small else (1, 1, 1)
        entry = Entry(kind, OTHER, *key, number, 25000, 150)
        yield {"note": f"kind {kind}", **log_line([entry])}
    good: dict[str, Line] = {
        "a statement": log_line([own(STATEMENT, 0, 125000)]),
        "a statement of an empty purse": log_line([own(STATEMENT, 0, 0)]),
        "a load": log_line([own(LOAD, 1, 100000)]),
        "a load whose number has more than 16 bits": log_line([own(LOAD, 65535, 100000)]),
        "three entries fill a message of a number of twelve digits": log_line(
            [own(LOAD, 1, 100000), PAID, own(STATEMENT, 0, 75000)]
        ),
        "two of the longest numbers": log_line(
            [Entry(1, "999999999999999", 65535, 65535, 255, 63, 10**12, 65535, 15)] * 2,
            2**32 - 2, number=LONGEST, generation=65535, currency="ZWL",
        ),
        "three of the shortest numbers": log_line(
            [Entry(0, "9999999", 1, 1, 1, 0, 1, 0)] * 3, number=SHORTEST
        ),
        "a key of a former generation": log_line(
            [Entry(5, OTHER, 4, 2, 9, 3, 500, 151, 2)], generation=3
        ),
        "a SIM of a later generation": log_line([PAID], generation=3, first=2 << 16 | 512),
    }  # fmt: skip
    for note, line in good.items():
        yield {"note": note, **line}
    for note, text in bad():
        yield {"note": note, "valid": False, "ask_key": ASK_KEY.hex(), "text": text}


def sealed(body: bytes, head: bytes | None = None, key: bytes = ASK_KEY) -> str:
    """Write a message with this plaintext, whatever it is."""
    return ref.text_of(log_octets(key, head or log_head(NUMBER, 1, FIRST), body))


def bad() -> Iterator[tuple[str, str]]:
    """Give messages that Sam must pass over."""
    one = PAID.octets()
    head = log_head(NUMBER, 1, FIRST)
    for note, body in {
        "no currency": b"",
        "no entry": b"KES",
        "half an entry": b"KES" + one[:-1],
        "an octet too many": b"KES" + one + b"\0",
        "an express code paid by the holder": b"KES" + b"\x40" + one[1:],
        "an express code received by the asker": b"KES" + b"\x80" + one[1:],
        "four entries": b"KES" + Entry(0, SHORTEST, 1, 1, 1, 0, 1, 1).octets() * 4,
        "a currency in small letters": b"kes" + one,
        "a currency of digits": b"123" + one,
        "the other's number is none": b"KES" + one[:1] + b"\7\x02\x54\x71\x20" + one[8:],
        "an amount above the largest": b"KES" + one[:-7] + (10**12 + 1).to_bytes(5, "big")
        + one[-2:],
        "a payment of nothing": b"KES" + one[:-7] + bytes(5) + one[-2:],
    }.items():  # fmt: skip
        yield note, sealed(body)
    for note, other in {
        "generation 0": log_head(NUMBER, 0, FIRST),
        "a number that begins with 0": b"\1\6\x07\x02\x54\x71\x2f\0\1" + FIRST.to_bytes(4, "big"),
        "version 2": b"\2" + head[1:],
        "type 5": b"\1\5" + head[2:],
    }.items():
        yield note, sealed(b"KES" + one, other)
    whole = log_octets(ASK_KEY, head, b"KES" + one).hex()
    for bit in (23, 88, 120, 247, 248, 4 * len(whole) - 1):
        yield f"bit {bit} changed", ref.text_of(bytes.fromhex(flipped(whole, bit)))
    yield "cut off", ref.text_of(bytes.fromhex(whole)[:30])
    yield "under another key", sealed(b"KES" + one, key=octets("another ask key", 16))
