"""The lines of typed_asks.jsonl and typed_answers.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import reference as ref
from code_lines import contexts
from lines import Line, context_fields, octets, payload
from reference import Context
from spoken import digits_of

ASK_KEY, ANSWER_KEY = octets("ask key", 16), octets("answer key", 32)
PLAIN = ("254700123456", 1, 7, "25670012345")


def ask_line(asker: str, generation: int, counter: int, holder: str) -> Line:
    """Write an ask to be typed, whole and as it is typed."""
    whole = ref.typed_ask(ASK_KEY, ref.typed_ask_body(asker, generation, counter, holder))
    typed = ref.pack((counter, 6), (int.from_bytes(whole[-5:], "big"), 33))
    return {
        "ask_key": ASK_KEY.hex(),
        "asker": asker,
        "asker_generation": generation,
        "counter": counter,
        "holder": holder,
        "ask": whole.hex(),
        "typed": payload(typed, 39),
        "typed_digits": digits_of("ask", typed),
    }


def typed_asks() -> Iterator[Line]:
    """Give asks to be typed, and digits that are another ask's or nobody's."""
    asker, generation, counter, holder = PLAIN
    good = {
        "plain": PLAIN,
        "everything as small as it gets": ("2348012", 1, 1, "9999999"),
        "everything as large as it gets": (
            "999999999999999", 65535, 2**32 - 1, "987654321098765",
        ),
        "an odd and an even number": ("2348012", generation, counter, "90000000000000"),
        "the roles exchanged": (holder, generation, counter, asker),
        "asker and holder the same: for Sam to refuse": (asker, generation, counter, asker),
    }  # fmt: skip
    good |= {f"counter {c}": (asker, generation, c, holder) for c in (62, 63, 64, 65, 127, 2**31)}
    good |= {f"generation {g}": (asker, g, counter, holder) for g in (2, 256)}
    for note, fields in good.items():
        yield {"note": note, **ask_line(*fields)}
    line = ask_line(*PLAIN)
    for bit in range(39):
        changed = int(line["typed"], 16) ^ 1 << 38 - bit
        digits = digits_of("ask", changed)
        yield {**line, "note": f"bit {bit} is another", "typed": payload(changed, 39),
               "typed_digits": digits, "valid": False}  # fmt: skip
    for note, other in {
        "asker": ("254700123457", generation, counter, holder),
        "generation": (asker, 2, counter, holder),
        "counter, with the same low bits": (asker, generation, counter + 64, holder),
        "holder": (asker, generation, counter, "25670012346"),
    }.items():
        told = {key: ask_line(*other)[key] for key in ("typed", "typed_digits")}
        yield {**line, "note": f"made for another {note}", **told, "valid": False}
    yield {**line, "note": "another key", "ask_key": octets("k", 16).hex(), "valid": False}


def answer_line(ask: bytes, context: Context, key: bytes) -> Line:
    """Write an answer to be typed, and what is in it."""
    typed = ref.typed_answer(ANSWER_KEY, ask, context, key)
    return {
        "answer_key": ANSWER_KEY.hex(),
        "ask": ask.hex(),
        **context_fields(context),
        "session_key": key.hex(),
        "typed": payload(typed, 199),
        "typed_digits": digits_of("answer", typed),
    }


def _asked(context: Context, counter: int = 7) -> bytes:
    body = ref.typed_ask_body(context.asker, context.asker_generation, counter, context.holder)
    return ref.typed_ask(ASK_KEY, body)


def typed_answers() -> Iterator[Line]:
    """Give answers to be typed that open, and those that do not."""
    key = octets("session key", 16)
    without_nonce = {note: each for note, each in contexts().items() if each.nonce is None}
    for note, context in without_nonce.items():
        yield {"note": note, **answer_line(_asked(context), context, key)}
    plain = without_nonce["plain"]
    yield {"note": "a key of zeros", **answer_line(_asked(plain), plain, bytes(16))}
    line = answer_line(_asked(plain), plain, key)
    for note, bit in {"first of the block": 31, "last of the block": 158, "first of the tag": 159,
                      "last of the tag": 198}.items():  # fmt: skip
        changed = int(line["typed"], 16) ^ 1 << 198 - bit
        yield {**line, "note": f"the {note} is another bit", "typed": payload(changed, 199),
               "typed_digits": digits_of("answer", changed), "valid": False}  # fmt: skip
    other = {"answer_key": octets("another answer key", 32).hex()}
    yield {**line, "note": "another key", **other, "valid": False}
    for note, ask in {
        "counter, with the same low bits": _asked(plain, 71),
        "MAC": _asked(plain)[:-1] + bytes([_asked(plain)[-1] ^ 1]),
    }.items():
        yield {**line, "note": f"the ask had another {note}", "ask": ask.hex(), "valid": False}
    for note, context in {
        "holder generation, with the same low bits": replace(plain, holder_generation=33),
        "asker generation, with the same low bits": replace(plain, asker_generation=5),
        "epoch, with the same low bits": replace(plain, epoch=5),
        "expiry, with the same low bits": replace(plain, expiry=456),
        "holder": replace(plain, holder="25670012346"),
        "limit class": replace(plain, limit_class=14),
        "direction": replace(plain, direction=1),
        "n": replace(plain, n=2),
    }.items():
        yield {**line, "note": f"made for another {note}", **context_fields(context),
               "valid": False}  # fmt: skip
