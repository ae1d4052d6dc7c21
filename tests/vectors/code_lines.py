"""The lines of tickets.jsonl and confirmations.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import reference as ref
from lines import Line, context_fields, octets, payload
from reference import Context
from spoken import digits_of

PAIR = Context("254700123456", 1, "25670012345", 1, 1, 1, 200, 13, 0, None)


def contexts() -> dict[str, Context]:
    """Give contexts at every edge."""
    named = {
        "plain": PAIR,
        "everything as small as it gets": Context("2348012", 1, "9999999", 1, 1, 1, 1),
        "everything as large as it gets": Context(
            "999999999999999", 65535, "987654321098765", 65535, 65535, 255, 65535, 31, 1, 2**26 - 1
        ),
        "J of 0 is not no J": replace(PAIR, nonce=0),
        "with J": replace(PAIR, nonce=0x155AA3C),
        "the other direction": replace(PAIR, direction=1),
        "the roles exchanged": replace(PAIR, asker=PAIR.holder, holder=PAIR.asker),
        "an odd and an even number": replace(PAIR, asker="2348012", holder="90000000000000"),
    }
    named |= {f"limit class {c}": replace(PAIR, limit_class=c) for c in range(32)}
    named |= {f"generation {g}": replace(PAIR, asker_generation=g) for g in (2, 3, 4, 5, 256)}
    named |= {f"holder generation {g}": replace(PAIR, holder_generation=g) for g in (2, 257)}
    named |= {f"epoch {e}": replace(PAIR, epoch=e) for e in (2, 3, 4, 5, 256)}
    named |= {f"n {n}": replace(PAIR, n=n) for n in (2, 127, 128, 255)}
    named |= {f"expiry {w}": replace(PAIR, expiry=w) for w in (0, 1, 255, 256, 456, 65535)}
    return named


TICKET_KEY, SEAL_KEY = octets("ticket key", 16), octets("seal key", 16)


def ticket_line(context: Context, key: bytes) -> Line:
    """Write a key's tickets."""
    sealed = context.sealed(key, SEAL_KEY)
    return {
        "ticket_key": TICKET_KEY.hex(),
        "seal_key": SEAL_KEY.hex(),
        **context_fields(context),
        "context": context.octets().hex(),
        "session_key": key.hex(),
        "kcv": ref.kcv(key),
        "derived": key == context.session_key(TICKET_KEY),
        "ticket": payload(context.ticket(key), 66),
        "ticket_digits": digits_of("ticket", context.ticket(key)),
        "sealed": payload(sealed, 202),
        "sealed_digits": digits_of("sealed", sealed),
    }


def tickets() -> Iterator[Line]:
    """Give tickets of both kinds, and those whose tags must not pass."""
    for note, context in contexts().items():
        yield {"note": note, **ticket_line(context, context.session_key(TICKET_KEY))}
    yield {"note": "a random key", **ticket_line(PAIR, octets("random key", 16))}
    good = ticket_line(PAIR, PAIR.session_key(TICKET_KEY))
    keep = ("ticket_key", "seal_key", *context_fields(PAIR), "ticket", "sealed")
    line = {key: good[key] for key in keep}
    for note, ticket_bit, sealed_bit in (
        ("the first bit of the tag is another", 26, 154),
        ("the last bit of the tag is another", 65, 201),
        ("a bit in the middle of the tag is another", 45, 180),
    ):
        ticket = int(line["ticket"], 16) ^ 1 << 65 - ticket_bit
        sealed = int(line["sealed"], 16) ^ 1 << 201 - sealed_bit
        payloads = {"ticket": payload(ticket, 66), "sealed": payload(sealed, 202)}
        yield {"note": note, **line, **payloads, "valid": False}
    for bit in (0, 64, 127):
        sealed = int(line["sealed"], 16) ^ 1 << 201 - 26 - bit
        yield {**line, "note": f"bit {bit} of the block is another", "ticket": None,
               "sealed": payload(sealed, 202), "valid": False}  # fmt: skip
    other = {"ticket_key": octets("another", 16).hex(), "seal_key": octets("another", 16).hex()}
    yield {"note": "the keys of another holder", **line, **other, "valid": False}
    for note, changed in unlike().items():
        yield {
            "note": f"made for another {note}",
            **line,
            **context_fields(changed),
            "valid": False,
        }


def unlike() -> dict[str, Context]:
    """Give contexts that differ from PAIR in one field each."""
    return {
        "asker": replace(PAIR, asker="254700123457"),
        "asker generation, with the same low bits": replace(PAIR, asker_generation=5),
        "holder": replace(PAIR, holder="25670012346"),
        "holder generation": replace(PAIR, holder_generation=2),
        "epoch, with the same low bits": replace(PAIR, epoch=5),
        "n": replace(PAIR, n=2),
        "expiry, with the same low bits": replace(PAIR, expiry=456),
        "limit class": replace(PAIR, limit_class=14),
        "direction": replace(PAIR, direction=1),
        "J": replace(PAIR, nonce=0),
    }


def confirmations() -> Iterator[Line]:
    """Give challenges and confirmations."""
    key = octets("session key", 16)
    good = []
    for note, context in contexts().items():
        counts = (1, 2, 255, 256, 512, 1022, 1023) if note == "plain" else (1,)
        good += [(f"{note}, count {count}", context, count) for count in counts]
    for note, context, count in good:
        yield {"note": note, **confirmation_line(context, key, count)}
    line = confirmation_line(PAIR, key, 5)
    del line["challenge_digits"], line["confirmation_digits"]
    for bit in range(26):
        changed = {
            name: payload(int(line[name], 16) ^ 1 << 25 - bit, 26)
            for name in ("challenge", "confirmation")
        }
        yield {"note": f"bit {bit} is another", **line, **changed, "valid": False}
    yield {"note": "another key", **line, "session_key": octets("k", 16).hex(), "valid": False}
    for note, other in unlike().items():
        yield {"note": f"made for another {note}", **line, **context_fields(other), "valid": False}
    replayed = {
        **line,
        "count": 6,
        "challenge": payload(6 << 16 | int(line["challenge"], 16) & 0xFFFF, 26),
    }
    yield {"note": "the proofs of another count", **replayed, "valid": False}


def confirmation_line(context: Context, key: bytes, count: int) -> Line:
    """Write M4 and M5 under one key and count."""
    challenge, confirmation = context.challenge(key, count), context.confirmation(key, count)
    return {
        "session_key": key.hex(),
        **context_fields(context),
        "count": count,
        "challenge": payload(challenge, 26),
        "challenge_digits": digits_of("request", challenge),
        "confirmation": payload(confirmation, 26),
        "confirmation_digits": digits_of("confirm", confirmation),
    }
