"""The lines of payments.jsonl and small.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from code_lines import PAIR, contexts, unlike
from lines import Line, context_fields, octets, payload
from money import Codes, Deal, Pay, universal_key
from reference import Context
from spoken import digits_of

KEY = octets("session key", 16)
MASTER = octets("master", 32)
WIDTHS = {"express": 66, "cheque": 53, "charge": 26, "response": 39}
PROFILES = {"express": "ticket", "charge": "request"}
PLAIN = Deal("254700123456", "25670012345", 1, Pay(25000), 1)
SMALL = {"charge": ("request", 26), "response": ("confirm", 26)}


def payment_line(context: Context, pay: Pay, number: int, count: int, key: bytes = KEY) -> Line:
    """Write all codes of one sum."""
    codes = Codes(context, key)
    values = {
        "express": codes.express(pay),
        "cheque": codes.cheque(pay, number),
        "charge": codes.charge(pay, count),
        "response": codes.response(pay, count),
    }
    line: Line = {"session_key": key.hex(), **context_fields(context)}
    line |= {"currency": pay.currency, "amount": pay.amount, "number": number, "count": count}
    for name, value in values.items():
        line[name] = payload(value, WIDTHS[name])
        line[f"{name}_digits"] = digits_of(PROFILES.get(name, name), value)
    modes = (("express", 0), ("cheque", number), ("challenge", count))
    return line | {"receipts": [codes.receipt(pay, mode, of) for mode, of in modes]}


def payments() -> Iterator[Line]:
    """Give payments under a key that are good, and codes that are not good."""
    pay = Pay(25000)
    edges = {note: each for note, each in contexts().items() if not note[-1].isdigit()}
    for note, context in edges.items():
        yield {"note": note, **payment_line(context, pay, 1, 1)}
    for amount in (1, 2**32, 10**12):
        yield {"note": f"amount {amount}", **payment_line(PAIR, Pay(amount), 1, 1)}
    for number, count in ((2, 2), (62, 256), (63, 1023)):
        note = f"number {number}, count {count}"
        yield {"note": note, **payment_line(PAIR, pay, number, count)}
    yield {"note": "another currency", **payment_line(PAIR, Pay(25000, "USD"), 1, 1)}
    yield from bad_payments(payment_line(PAIR, pay, 5, 5))


def bad_payments(line: Line) -> Iterator[Line]:
    """Give codes that were made for something else, and codes with one bit changed."""
    line = {name: line[name] for name in line if not name.endswith(("_digits", "receipts"))}
    for place in (0, 1, 3):
        changed = {}
        for name, tag in {"express": 40, "cheque": 47, "charge": 16, "response": 39}.items():
            bit = (0, tag // 2, None, tag - 1)[place]
            changed[name] = payload(int(line[name], 16) ^ 1 << (bit or 0), WIDTHS[name])
        note = {0: "last", 1: "middle", 3: "first"}[place]
        yield {**line, "note": f"the {note} bit of each tag is another", **changed, "valid": False}
    for note, change in {
        "amount, by one": {"amount": 25001},
        "currency": {"currency": "KEU"},
        "key": {"session_key": octets("k", 16).hex()},
    }.items():
        yield {**line, "note": f"made for another {note}", **change, "valid": False}
    for note, other in unlike().items():
        yield {**line, "note": f"made for another {note}", **context_fields(other),
               "valid": False}  # fmt: skip
    swapped = context_fields(replace(PAIR, asker=PAIR.holder, holder=PAIR.asker))
    yield {**line, "note": "made by the other party", **swapped, "valid": False}
    yield {**line, "note": "the tags of another number and count, replayed", **replayed(line),
           "valid": False}  # fmt: skip
    yield {**line, "note": "codes of the other kinds, as wide as they are", **exchanged(),
           "valid": False}  # fmt: skip


def replayed(line: Line) -> Line:
    """Put the proofs of one number and count behind others; the express code is no payment's."""
    return {
        "number": 6,
        "count": 6,
        "express": payload(PAIR.ticket(KEY), 66),
        "cheque": payload(6 << 47 | int(line["cheque"], 16) & (1 << 47) - 1, 53),
        "charge": payload(6 << 16 | int(line["charge"], 16) & 0xFFFF, 26),
    }


def exchanged() -> Line:
    """Give what a confirmation, a ticket and another sum's codes say in these places."""
    other = Codes(PAIR, KEY)
    wide = PAIR.code(KEY, 0x33, Pay(25000).octets(), 47)
    return {
        "express": payload(PAIR.ticket(KEY), 66),
        "cheque": payload(5 << 47 | wide, 53),
        "charge": payload(PAIR.challenge(KEY, 5), 26),
        "response": payload(other.cheque(Pay(25000), 5) & (1 << 39) - 1, 39),
    }


def small_line(deal: Deal, nonce: int) -> Line:
    """Write one small payment."""
    key = universal_key(MASTER, deal.period)
    values = {"charge": deal.charge(key), "response": deal.response(key, nonce)}
    line: Line = {
        "master": MASTER.hex(),
        "period": deal.period,
        "universal_key": key.hex(),
        "payer": deal.payer,
        "payee": deal.payee,
        "currency": deal.pay.currency,
        "amount": deal.pay.amount,
        "count": deal.count,
        "payer_nonce": nonce,
    }
    for name, value in values.items():
        profile, width = SMALL[name]
        line[name] = payload(value, width)
        line[f"{name}_digits"] = digits_of(profile, value)
    return line | {"receipt": deal.receipt(key)}


def small() -> Iterator[Line]:
    """Give small payments that are good, and codes that are not good."""
    shortest, longest = "2348012", "987654321098765"
    good = {
        "plain": (PLAIN, 1),
        "the roles exchanged": (replace(PLAIN, payer=PLAIN.payee, payee=PLAIN.payer), 1),
        "everything as small as it gets": (Deal(shortest, "9999999", 1, Pay(1), 1), 0),
        "everything as large as it gets": (
            Deal("999999999999999", longest, 255, Pay(10**12, "ZWL"), 65535), 15,
        ),
        "a short and a long number": (replace(PLAIN, payer=shortest, payee=longest), 1),
        "another currency": (replace(PLAIN, pay=Pay(25000, "USD")), 1),
    }  # fmt: skip
    good |= {f"payer's nonce {n}": (PLAIN, n) for n in (0, 15)}
    good |= {f"count {c}": (replace(PLAIN, count=c), 1) for c in (255, 256, 65534)}
    good |= {f"amount {a}": (replace(PLAIN, pay=Pay(a)), 1) for a in (2**32,)}
    good |= {f"period {p}": (replace(PLAIN, period=p), 1) for p in (2,)}
    for note, (deal, nonce) in good.items():
        yield {"note": note, **small_line(deal, nonce)}
    yield from bad_small({k: v for k, v in small_line(PLAIN, 1).items() if "digits" not in k})


def bad_small(line: Line) -> Iterator[Line]:
    """Give small codes that were made for something else, and such with one bit changed."""
    del line["receipt"]
    for bit in (0, 4, 9):
        changed = {
            "charge": payload(int(line["charge"], 16) ^ 1 << bit, 26),
            "response": payload(int(line["response"], 16) ^ 1 << 2 * bit, 26),
        }
        yield {**line, "note": f"bit {bit} from the end is another", **changed, "valid": False}
    longer = {"payer": "2547001234562", "payee": "5670012345"}
    for note, change in {
        "payer": {"payer": "254700123457"},
        "payee": {"payee": "25670012346"},
        "party: a digit went over to the other": longer,
        "amount": {"amount": 25001},
        "currency": {"currency": "KEU"},
        "period, under the same key": {"period": 2},
        "universal key": {"universal_key": universal_key(MASTER, 2).hex()},
    }.items():
        yield {**line, "note": f"made for another {note}", **change, "valid": False}
    other = {"count": 2, "charge": payload(2 << 10 | int(line["charge"], 16) & 1023, 26)}
    yield {**line, "note": "the proofs of another count, replayed", **other, "valid": False}
