"""The lines of answers.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import blocks
import reference as ref
from ask_lines import ASK_KEY, FULL, PLAIN
from lines import Line, flipped, octets
from reference import Ask, Context

ANSWER_KEY = octets("answer key", 32)


def granted(ask: Ask, **values: Any) -> Context:
    """Give the context of a key granted on an ask."""
    plain = Context(
        ask.asker, ask.asker_generation, ask.holder, 1, 1, 1, 200,
        ask.limit_class, ask.direction, ask.nonce,
    )  # fmt: skip
    return replace(plain, **values)


def grant_line(
    note: str, ask: Ask, context: Context, week: int, *, derived: bool, sealed: bytes
) -> Line:
    """Write an answer that grants, and what is in it."""
    witness, key = octets("witness", 6), octets("session key", 16)
    whole = ask.octets(ASK_KEY)
    plaintext = ref.grant(context, week, witness, key, derived=derived, sealed=sealed)
    return {
        "note": note,
        "answer_key": ANSWER_KEY.hex(),
        "ask": whole.hex(),
        "text": ref.text_of(ref.answer(ANSWER_KEY, ask.counter, whole, plaintext)),
        "counter": ask.counter,
        "grant": {
            "holder_generation": context.holder_generation,
            "epoch": context.epoch,
            "n": context.n,
            "expiry": context.expiry,
            "limit_class": context.limit_class,
            "direction": context.direction,
            "derived": derived,
            "sealed": sealed.hex() if sealed else None,
            "week": week,
            "witness": witness.hex(),
            "session_key": key.hex(),
        },
    }


def refusal_line(note: str, ask: Ask, reason: int, week: int) -> Line:
    """Write an answer that refuses."""
    whole = ask.octets(ASK_KEY)
    plaintext = bytes([reason]) + week.to_bytes(2, "big")
    return {
        "note": note,
        "answer_key": ANSWER_KEY.hex(),
        "ask": whole.hex(),
        "text": ref.text_of(ref.answer(ANSWER_KEY, ask.counter, whole, plaintext)),
        "counter": ask.counter,
        "refusal": {"reason": reason, "week": week},
    }


def answers() -> Iterator[Line]:
    """Give answers that open, and answers that do not."""
    block = octets("sealed", 22)
    yield grant_line("plain", PLAIN, granted(PLAIN), 150, derived=True, sealed=b"")
    yield grant_line("and sealed", PLAIN, granted(PLAIN), 150, derived=True, sealed=block)
    yield grant_line("only sealed", PLAIN, granted(PLAIN), 150, derived=False, sealed=block)
    largest = granted(FULL, holder_generation=65535, epoch=65535, n=255, expiry=65535)
    yield grant_line("as large as it gets", FULL, largest, 65535, derived=False, sealed=block)
    smallest = granted(Ask("2348012", 1, 1, "9999999"), expiry=1)
    small = Ask("2348012", 1, 1, "9999999")
    yield grant_line("as small as it gets", small, smallest, 0, derived=True, sealed=b"")
    cut = granted(PLAIN, limit_class=5)
    yield grant_line("the limit cut by Sam", PLAIN, cut, 150, derived=True, sealed=b"")
    for limit_class in range(32):
        for direction in (0, 1):
            wanted = replace(PLAIN, limit_class=limit_class, direction=direction)
            note = f"limit class {limit_class}, direction {direction}"
            yield grant_line(note, wanted, granted(wanted), 150, derived=True, sealed=b"")
    for reason in range(1, 10):
        yield refusal_line(f"refused: {reason}", PLAIN, reason, 150)
    yield refusal_line("the lowest week", PLAIN, 5, 0)
    yield refusal_line("the highest week", PLAIN, 5, 65535)
    good = grant_line("lower case", PLAIN, granted(PLAIN), 150, derived=True, sealed=b"")
    yield {**good, "text": f" {good['text'].lower()}\n"}
    yield from refused_answers()


def refused_answers() -> Iterator[Line]:
    """Give answers that must not be taken."""
    whole = PLAIN.octets(ASK_KEY)
    plaintext = ref.grant(
        granted(PLAIN), 150, octets("witness", 6), octets("session key", 16), derived=True
    )
    sealed = ref.answer(ANSWER_KEY, PLAIN.counter, whole, plaintext)
    line = {"answer_key": ANSWER_KEY.hex(), "ask": whole.hex(), "text": ref.text_of(sealed)}

    def changed(note: str, octets_: bytes, **values: str) -> Line:
        return {"note": note, **line, "text": ref.text_of(octets_), **values, "valid": False}

    for note, at in {
        "version": 0, "type": 1, "counter": 5, "first octet of the tag": 6, "last of the tag": 21,
        "first octet sealed": 22, "last octet sealed": len(sealed) - 1,
    }.items():  # fmt: skip
        yield changed(f"another {note}", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
    for length in range(len(sealed)):
        yield changed(f"cut to {length} octets", sealed[:length])
    yield changed("one octet too many", sealed + b"\0")
    yield changed("another key", sealed, answer_key=octets("another answer key", 32).hex())
    for note, other in {
        "another counter": replace(PLAIN, counter=8),
        "another holder": replace(PLAIN, holder="25670012346"),
        "another limit class": replace(PLAIN, limit_class=14),
        "J": replace(PLAIN, nonce=0),
    }.items():
        yield changed(f"the ask had {note}", sealed, ask=other.octets(ASK_KEY).hex())
    lost = flipped(whole.hex(), len(whole) * 8 - 1)
    yield changed("the ask's MAC was another", sealed, ask=lost)
    head = sealed[:6]
    joined = head + blocks.siv_seal(ANSWER_KEY, [head + whole], plaintext)
    yield changed("the two components joined", joined)
    yield changed("the ask left out", head + blocks.siv_seal(ANSWER_KEY, [head], plaintext))
    for note, bad in {
        "an octet after the grant": plaintext + b"\0",
        "an octet of the grant missing": plaintext[:-1],
        "flagged as sealed, and nothing there": flag(plaintext, 1),
        "sealed, and not flagged": plaintext + octets("sealed", 22),
        "sealed, and cut": flag(plaintext, 1) + octets("sealed", 21),
        "an octet after the refusal": b"\1" + bytes(3),
        "an octet of the refusal missing": b"\1\0",
        "nothing but a reason": b"\1",
        "empty": b"",
    }.items():
        whole_answer = ref.answer(ANSWER_KEY, PLAIN.counter, whole, bad)
        yield changed(f"well sealed: {note}", whole_answer)
    spare = line["text"] + "A"
    yield {"note": "a letter too many", **line, "text": spare, "valid": False}
    yield {"note": "the ask itself", **line, "text": ref.text_of(whole), "valid": False}


def flag(plaintext: bytes, bits: int) -> bytes:
    """Set flags of a grant."""
    return plaintext[:8] + bytes([plaintext[8] | bits]) + plaintext[9:]
