"""The lines of syncs.jsonl: messages of Sam's own (section 12)."""

from __future__ import annotations

from collections.abc import Iterator

import blocks
import reference as ref
from lines import Line, flipped, octets
from money import Pay

SYNC_KEY = octets("sync key", 32)
ROOM = 74
NEW_KEYS = {4: {"ask": 16, "answer": 32}, 5: {"ticket": 16, "seal": 16, "sync": 32}}


def sealed(counter: int, body: bytes, key: bytes = SYNC_KEY) -> str:
    """Give the SMS text of a message with this plaintext."""
    return ref.text_of(whole(counter, body, key))


def whole(counter: int, body: bytes, key: bytes) -> bytes:
    """Give the octets of a message with this plaintext."""
    header = b"\x01\x03" + counter.to_bytes(4, "big")
    return header + blocks.siv_seal(key, [header], body)


def floor(epoch: int) -> tuple[Line, bytes]:
    """Give an item 1."""
    return {"kind": 1, "epoch": epoch}, b"\1" + epoch.to_bytes(2, "big")


def mark(number: str, generation: int, epoch: int, n: int) -> tuple[Line, bytes]:
    """Give an item 2."""
    told = {"kind": 2, "number": number, "generation": generation, "epoch": epoch, "n": n}
    party = ref.number_field(number) + generation.to_bytes(2, "big")
    return told, b"\2" + party + epoch.to_bytes(2, "big") + bytes([n])


def unlock(lock: int) -> tuple[Line, bytes]:
    """Give an item 3."""
    return {"kind": 3, "lock": lock}, b"\3" + lock.to_bytes(2, "big")


def new_keys(
    kind: int, generation: int, keys: dict[str, bytes] | None = None
) -> tuple[Line, bytes]:
    """Give an item 4 or 5."""
    keys = keys or {
        f"{name}_key": octets(f"new {name} key", size) for name, size in NEW_KEYS[kind].items()
    }
    told = {"kind": kind, "generation": generation} | {k: v.hex() for k, v in keys.items()}
    return told, bytes([kind]) + generation.to_bytes(2, "big") + b"".join(keys.values())


def load(number: int, amount: int, currency: str = "KES") -> tuple[Line, bytes]:
    """Give an item 6."""
    told = {"kind": 6, "number": number, "currency": currency, "amount": amount}
    field = number.to_bytes(4, "big") + Pay(amount, currency).octets()
    return told, b"\6" + field


def end_of_pin_lock(lock: int, *, forget: bool = False) -> tuple[Line, bytes]:
    """Give an item 7."""
    told = {"kind": 7, "lock": lock, "forget": int(forget)}
    return told, b"\7" + lock.to_bytes(2, "big") + bytes([forget])


def universal(period: int, key: bytes) -> tuple[Line, bytes]:
    """Give an item 8."""
    return {"kind": 8, "period": period, "key": key.hex()}, b"\10" + bytes([period]) + key


def filed(serial: int) -> tuple[Line, bytes]:
    """Give an item 9."""
    return {"kind": 9, "serial": serial}, b"\11" + serial.to_bytes(4, "big")


def syncs() -> Iterator[Line]:
    """Give messages that open, and messages that do not."""
    good = {
        "nothing but time and epoch": (1, 150, 1, []),
        "a floor": (2, 151, 3, [floor(3)]),
        "a mark": (3, 151, 3, [mark("254712345678", 2, 3, 200)]),
        "a whole generation withdrawn": (4, 151, 3, [mark("2348012", 7, 65535, 255)]),
        "an unlock": (5, 151, 3, [unlock(2)]),
        "one half of new keys": (6, 152, 3, [new_keys(4, 2)]),
        "the other half of new keys": (7, 152, 3, [new_keys(5, 2)]),
        "several items": (8, 152, 4, [floor(2), unlock(1), mark("123456789012345", 1, 1, 1)]),
        "every value as large as it gets": (
            2**32 - 1, 65535, 65535,
            [floor(65535), unlock(65535), mark("987654321098765", 65535, 65535, 255)],
        ),
        "a load": (10, 153, 4, [load(1, 100000)]),
        "the largest load": (11, 153, 4, [load(2**32 - 1, 10**12, "ZWL")]),
        "the end of a lock of the PIN": (12, 153, 4, [end_of_pin_lock(1)]),
        "the end of a lock, and the PIN forgotten": (
            13, 153, 4, [end_of_pin_lock(65535, forget=True)],
        ),
        "a universal key": (14, 153, 4, [universal(2, octets("universal key", 16))]),
        "the universal key of the last period": (
            15, 153, 4, [universal(255, octets("universal key", 16))],
        ),
        "filed": (16, 153, 4, [filed(1 << 16 | 3)]),
        "filed, the largest serial": (17, 153, 4, [filed(2**32 - 1)]),
        "every item of payments": (
            18, 153, 4,
            [load(2, 1), end_of_pin_lock(2), universal(3, octets("key", 16)), filed(1 << 16)],
        ),
        "five loads": (19, 153, 4, [load(i, 500) for i in range(3, 8)]),
        "as many items as fit": (9, 152, 4, [floor(i) for i in range(1, ROOM // 3 + 1)]),
    }  # fmt: skip
    for note, (counter, week, epoch, items) in good.items():
        body = week.to_bytes(2, "big") + epoch.to_bytes(2, "big")
        body += b"".join(item for _, item in items)
        assert len(body) <= ROOM + 4
        told = {"note": note, "sync_key": SYNC_KEY.hex(), "text": sealed(counter, body)}
        told |= {"counter": counter, "week": week, "epoch": epoch}
        yield told | {"items": [item for item, _ in items]}
    for note, text in bad(SYNC_KEY):
        yield {"note": note, "valid": False, "sync_key": SYNC_KEY.hex(), "text": text}


def bad(key: bytes) -> Iterator[tuple[str, str]]:
    """Give messages that a SIM must pass over."""
    plain = bytes.fromhex("00970001")
    for note, body in {
        "no time": b"",
        "half an epoch": plain[:3],
        "an unknown kind": plain + b"\12\0\0",
        "kind 0": plain + b"\0",
        "half a floor": plain + b"\1\0",
        "a mark of no number": plain + b"\2\7\x02\x54\x71\x20" + bytes(6),
        "half of new keys": plain + new_keys(4, 2)[1][:-1],
        "an octet too many": plain + b"\1\0\1\1",
        "half a load": plain + load(1, 500)[1][:-1],
        "a load without its amount": plain + load(1, 500)[1][:-5],
        "a load of nothing": plain + load(1, 0)[1],
        "a load above the largest amount": plain + load(1, 10**12 + 1)[1],
        "a load in no currency": plain + load(1, 500, "K1S")[1],
        "a load in small letters": plain + load(1, 500, "kes")[1],
        "half an end of a lock": plain + end_of_pin_lock(1)[1][:-1],
        "forget is neither 0 nor 1": plain + b"\7\0\1\2",
        "half a universal key": plain + universal(2, bytes(16))[1][:-1],
        "half a serial": plain + filed(1 << 16 | 3)[1][:-1],
        "a load, then an octet too many": plain + load(1, 500)[1] + b"\0",
    }.items():
        yield note, sealed(1, body, key)
    good = whole(1, plain + floor(3)[1], key).hex()
    for bit in (16, 47, 48, 175, 176, 230):
        yield f"bit {bit} changed", ref.text_of(bytes.fromhex(flipped(good, bit)))
    yield "under another key", sealed(1, plain, octets("another sync key", 32))
