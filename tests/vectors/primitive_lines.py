"""The lines of primitives.jsonl and keys.jsonl."""

from __future__ import annotations

from collections.abc import Iterator

import blocks
import reference as ref
from lines import Line, flipped, octets
from money import universal_key
from reference import Party

NUMBERS = ("2348012", "254700123456", "25670012345", "123456789012345", "9999999", "90000000000000")


def primitives() -> Iterator[Line]:
    """Give the building blocks."""
    yield from cmac_lines()
    yield from kdf_lines()
    for length in (1, 3, 15, 16, 17, 33, 55):
        for parts in (1, 2):
            yield siv_line(length, parts)
    yield from siv_refused()
    yield from number_lines()
    yield from text_lines()


def cmac_lines() -> Iterator[Line]:
    """Give MACs."""
    for size in (16, 32):
        for length in (0, 1, 15, 16, 17, 31, 32, 33, 40, 64):
            key, message = octets(f"cmac {size}", size), octets("message", length)
            yield {
                "note": f"{size} octets of key, {length} of message",
                "op": "cmac",
                "key": key.hex(),
                "message": message.hex(),
                "mac": blocks.cmac(key, message).hex(),
            }


def kdf_lines() -> Iterator[Line]:
    """Give derivations."""
    for size, kind, length, out in (
        (16, 0x20, 33, 16), (16, 0x30, 0, 16), (32, 0x10, 12, 16), (32, 0x11, 12, 32),
        (32, 0x14, 14, 16), (16, 0x21, 0, 1), (16, 0x32, 1, 15), (16, 0x22, 5, 17),
        (16, 0x31, 16, 48),
    ):  # fmt: skip
        key, context = octets(f"kdf {size}", size), octets("context", length)
        yield {
            "note": f"{out} octets from a context of {length}",
            "op": "kdf",
            "key": key.hex(),
            "type": kind,
            "context": context.hex(),
            "octets": out,
            "out": blocks.kdf(key, kind, context, out).hex(),
        }


def number_lines() -> Iterator[Line]:
    """Give number fields."""
    for digits in NUMBERS:
        told = ref.number_field(digits).hex()
        yield {"note": f"{len(digits)} digits", "op": "number", "digits": digits, "field": told}
    for note, bad in BAD_FIELDS.items():
        yield {"note": note, "op": "number", "field": bad, "valid": False}


def text_lines() -> Iterator[Line]:
    """Give texts of an SMS."""
    for length in (1, 2, 3, 4, 5, 6, 50, 100):
        told = octets("text", length)
        line = {"op": "text", "octets": told.hex(), "text": ref.text_of(told)}
        yield {"note": f"{length} octets", **line}
        if length == 6:
            yield {"note": "lower case is folded", **line, "text": line["text"].lower()}
            for space in (" ", "\n", "\r\n", "\t"):
                spaced = space + space.join(line["text"]) + space
                yield {"note": "white space is dropped", **line, "text": spaced}
    for note, text in BAD_TEXTS.items():
        yield {"note": note, "op": "text", "text": text, "valid": False}


BAD_FIELDS = {
    "6 digits": "06234801",
    "16 digits": "101234567890123456",
    "no digits": "00",
    "a count of 255": "ff" + "12" * 128,
    "the first digit is 0": "0702345678f"[:10],
    "a nibble a": "0a23480a5678",
    "a nibble f among the digits": "0a2348f15678",
    "an odd count that ends in 0": "0723480120",
    "an odd count that ends in a digit": "0723480125",
    "an even count that ends in f": "082348012f",
    "one octet short": "07234801",
    "a count without digits": "07",
    "nothing at all": "",
}
BAD_TEXTS = {
    "one letter holds no octet": "A",
    "three letters hold no whole octets": "AAA",
    "six letters hold no whole octets": "AAAAAA",
    "spare bits set after one octet": "AB",
    "spare bits set after two": "AAAB",
    "spare bits set after three": "AAAAB",
    "spare bits set after four": "AAAAAAB",
    "padding": "AA======",
    "a 0": "A0",
    "a 1": "A1",
    "an 8": "A8",
    "a 9": "A9",
    "a hyphen": "AA-AA",
    "a letter that only Unicode folds to I": "\u0131A",
    "a letter that only Unicode folds to S": "\u017fA",
    "wide letters": "\uff21\uff21",
}


def siv_line(length: int, parts: int) -> Line:
    """Seal one message."""
    key, plaintext = octets("siv", 32), octets("plaintext", length)
    associated = [octets(f"associated {part}", 6 + 30 * part) for part in range(parts)]
    return {
        "note": f"{length} octets, {parts} components of associated data",
        "op": "siv",
        "key": key.hex(),
        "associated": [part.hex() for part in associated],
        "plaintext": plaintext.hex(),
        "sealed": blocks.siv_seal(key, associated, plaintext).hex(),
    }


def siv_refused() -> Iterator[Line]:
    """Give what must not open."""
    good = siv_line(33, 2)
    del good["plaintext"]
    sealed, associated = good["sealed"], good["associated"]
    for note, change in {
        "the first bit of the tag is another": {"sealed": flipped(sealed, 0)},
        "the last bit of the ciphertext is another": {
            "sealed": flipped(sealed, len(sealed) * 4 - 1)
        },
        "one octet short": {"sealed": sealed[:-2]},
        "one octet too many": {"sealed": sealed + "00"},
        "components exchanged": {"associated": associated[::-1]},
        "components joined": {"associated": ["".join(associated)]},
        "one component missing": {"associated": associated[:1]},
        "an empty component added": {"associated": [*associated, ""]},
        "another key": {"key": octets("another", 32).hex()},
        "shorter than a tag": {"sealed": sealed[:30]},
    }.items():
        yield {**good, **change, "note": note, "valid": False}


def keys() -> Iterator[Line]:
    """Give parties' keys."""
    master = octets("master", 32)
    for number, generation, epoch, master_id in (
        (NUMBERS[0], 1, 1, 1), (NUMBERS[0], 2, 1, 1), (NUMBERS[0], 1, 2, 1), (NUMBERS[0], 1, 1, 2),
        (NUMBERS[1], 1, 1, 1), (NUMBERS[2], 256, 255, 16), (NUMBERS[3], 65535, 65535, 255),
        (NUMBERS[5], 65535, 1, 255),
    ):  # fmt: skip
        party = Party(number, generation, epoch, master, master_id)
        yield {
            "note": f"{number} generation {generation}, epoch {epoch}, master {master_id}",
            "master": master.hex(),
            "master_id": master_id,
            "number": number,
            "generation": generation,
            "epoch": epoch,
            **party_keys(party),
            "universal_key": universal_key(master, master_id).hex(),
        }


def party_keys(party: Party) -> Line:
    """Write the five keys of a party."""
    return {f"{use}_key": party.key(use).hex() for use in ref.PARTY_TYPES}
