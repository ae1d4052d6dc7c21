"""The lines of asks.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import blocks
import reference as ref
from lines import Line, octets, payload
from reference import Ask

ASK_KEY = octets("ask key", 16)
PLAIN = Ask("254700123456", 1, 7, "25670012345", 13, 0, 0, 52, None)
FULL = Ask(
    "123456789012345", 65535, 2**32 - 1, "987654321098765", 31, 1, 2, 255, 2**26 - 1,
    65535, 255, b"\xff" * 6, 2**32 - 1,
)  # fmt: skip


def ask_fields(ask: Ask) -> Line:
    """Write an ask's fields as they parse."""
    seen = {"epoch": ask.seen_epoch, "n": ask.seen_n, "witness": ask.seen_witness.hex()}
    return {
        "asker": ask.asker,
        "asker_generation": ask.asker_generation,
        "counter": ask.counter,
        "holder": ask.holder,
        "limit_class": ask.limit_class,
        "direction": ask.direction,
        "form": ask.form,
        "life": ask.life,
        "nonce": None if ask.nonce is None else payload(ask.nonce, 26),
        "seen": seen if ask.seen_n else None,
        "synced": ask.synced,
    }


def asks() -> Iterator[Line]:
    """Give asks that parse, and asks that do not."""
    good: dict[str, Ask] = {
        "plain": PLAIN,
        "every field as long and as large as it gets": FULL,
        "the shortest": Ask("2348012", 1, 1, "9999999"),
        "odd and even": replace(PLAIN, asker="2348012", holder="90000000000000"),
        "even and odd": replace(PLAIN, asker="90000000000000", holder="2348012"),
        "asker and holder the same: for Sam to refuse": replace(PLAIN, holder=PLAIN.asker),
        "J of 0": replace(PLAIN, nonce=0),
        "J of 2^26-1": replace(PLAIN, nonce=2**26 - 1),
        "seen": replace(PLAIN, seen_epoch=3, seen_n=9, seen_witness=octets("witness", 6)),
        "seen, at the lowest": replace(
            PLAIN, seen_epoch=1, seen_n=1, seen_witness=b"\0" * 5 + b"\1"
        ),
        "synced": replace(PLAIN, synced=0x01020304),
        "the highest life": replace(PLAIN, life=255),
        "life left to Sam": replace(PLAIN, life=0),
        "counter of four octets": replace(PLAIN, counter=0x01020304),
        "generation of two octets": replace(PLAIN, asker_generation=0x0102),
    }
    good |= {f"limit class {c}": replace(PLAIN, limit_class=c) for c in range(32)}
    for direction in (0, 1):
        for form in (0, 1, 2):
            name = f"direction {direction}, form {form}"
            good[name] = replace(PLAIN, direction=direction, form=form)
            good[name + ", with J"] = replace(good[name], nonce=0x2ABCDEF)
    for note, ask in good.items():
        text = ref.text_of(ask.octets(ASK_KEY))
        yield {"note": note, "ask_key": ASK_KEY.hex(), "text": text, **ask_fields(ask)}
    text = ref.text_of(PLAIN.octets(ASK_KEY))
    broken = "\n".join(text[at : at + 10] for at in range(0, len(text), 10))
    for note, other in {"lower case": text.lower(), "in lines": f" {broken}\r\n"}.items():
        yield {"note": note, "ask_key": ASK_KEY.hex(), "text": other, **ask_fields(PLAIN)}
    yield from refused_asks()


def refused_asks() -> Iterator[Line]:
    """Give asks to refuse: those of another layout all carry a good MAC where they carry one."""
    for note, text in malformed_asks():
        line = {"ask_key": ASK_KEY.hex(), "text": text, "valid": False, "reason": "malformed"}
        yield {"note": note, **line}
    for note, text, key in unproven_asks():
        yield {"note": note, "ask_key": key.hex(), "text": text, "valid": False, "reason": "mac"}


def malformed_asks() -> Iterator[tuple[str, str]]:
    """Give texts that are no ask."""

    def resealed(body: bytes) -> str:
        return ref.text_of(ref.with_mac(body, ASK_KEY))

    body, full = PLAIN.body(), FULL.body()
    for note, at, value in (
        ("version 0", 0, 0), ("version 2", 0, 2), ("the type of an answer", 1, 2), ("type 0", 1, 0),
        ("asker of 6 digits", 2, 6), ("asker of 16 digits", 2, 16),
        ("asker beginning with 0", 3, 0x05),
        ("asker with a nibble a", 4, 0xA4), ("asker with a nibble f in its midst", 4, 0x4F),
        ("holder of 0 digits", 15, 0), ("holder beginning with 0", 16, 0x05),
        ("holder of odd count ending in 0", 21, 0x50),
        ("holder of odd count ending in a digit", 21, 0x59),
        ("form 3", 22, body[22] | 3), ("nonce field of 1 octet", 24, 1),
        ("nonce field of 3", 24, 3),
        ("nonce field of 5", 24, 5), ("nonce field of 255", 24, 255),
        ("nonce field of 4 without J", 24, 4),
    ):  # fmt: skip
        yield note, resealed(body[:at] + bytes([value]) + body[at + 1 :])
    for note, ask in {
        "counter 0": replace(PLAIN, counter=0),
        "generation 0": replace(PLAIN, asker_generation=0),
        "J of 2^26": replace(PLAIN, nonce=2**26),
        "J of 2^32-1": replace(PLAIN, nonce=2**32 - 1),
        "an odd asker's fill lost": replace(PLAIN, asker="25470012345"),
    }.items():
        told = ask.body()
        if note.startswith("an odd"):
            told = told.replace(bytes.fromhex("345f"), bytes.fromhex("3450"), 1)
        yield note, resealed(told)
    yield "one octet more before the MAC", resealed(body + b"\0")
    yield "one octet less before the MAC", resealed(body[:-1])
    whole = ref.with_mac(full, ASK_KEY)
    yield "one octet after the MAC", ref.text_of(whole + b"\0")
    for length in range(len(whole)):
        yield f"cut to {length} octets", ref.text_of(whole[:length])
    text = resealed(body)
    spare = ref.BASE32[ref.BASE32.index(text[-1]) + 1]
    for note, other in {
        "a spare bit set": text[:-1] + spare,
        "padded": text + "=" * (-len(text) % 8),
        "a 1 for an I": text[:5] + "1" + text[6:],
        "a hyphen": text[:8] + "-" + text[8:],
        "a letter too many": text + "A",
        "an answer": ref.text_of(ref.answer(octets("answer key", 32), 7, whole, b"\1" + bytes(2))),
    }.items():
        yield note, other


def unproven_asks() -> Iterator[tuple[str, str, bytes]]:
    """Give asks of good layout under a MAC that is not theirs."""
    whole = bytearray(FULL.octets(ASK_KEY))
    at = {
        "asker": 4, "asker's generation": 12, "counter": 16, "holder": 22, "direction": 26,
        "life": 27,
        "J": 32, "seen epoch": 34, "seen n": 35, "witness": 41, "synced": 45,
        "first octet of the MAC": 46, "last octet of the MAC": 53,
    }  # fmt: skip
    for name, where in at.items():
        changed = bytearray(whole)
        changed[where] ^= 0x10 if name in {"asker", "holder"} else 4
        yield f"another {name}", ref.text_of(bytes(changed)), ASK_KEY
    limit = bytearray(whole)
    limit[26] ^= 0x80
    yield "another limit class", ref.text_of(bytes(limit)), ASK_KEY
    form = bytearray(whole)
    form[26] ^= 2
    yield "another form", ref.text_of(bytes(form)), ASK_KEY
    yield "a MAC of zeros", ref.text_of(FULL.body() + bytes(8)), ASK_KEY
    last = FULL.body() + blocks.cmac(ASK_KEY, FULL.body())[8:]
    yield "the last half of the MAC", ref.text_of(last), ASK_KEY
    yield "another key", ref.text_of(bytes(whole)), octets("another ask key", 16)
