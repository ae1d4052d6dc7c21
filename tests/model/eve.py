"""What Eve has of real keys and codes, by the model's terms for them."""

from __future__ import annotations

from phonebook import BITS, Phonebook
from theory import term

from dtns.sam.protocol.octets import Key

Values = dict[str, str]
"""The variables of a rule, by name, with `F` the fault of the model."""


class Eve:
    """Sees each code that a phone shows, and makes codes of each key that got out."""

    def __init__(self, book: Phonebook) -> None:
        self._book = book
        self._keys: dict[str, Key] = {}
        self._codes: dict[str, tuple[str, int]] = {}

    def learn(self, v: Values, session: Key) -> None:
        """Remember the real key of a context; the model tells when she may use it."""
        self._keys[reduced(f"session({v['F']}, {v['C']})")] = session

    def key(self, v: Values) -> Key:
        """Return the real key that a rule is about."""
        return self._keys[reduced(_key(v))]

    def see(self, v: Values, type_: str, number: str, amount: str) -> None:
        """See a code that a SIM shows."""
        bits = self._book.tag(type_, self.key(v), v["C"], number, amount)
        self._codes[_code(v, type_, number, amount)] = (type_, bits)

    def see_small(self, v: Values, count: str, bits: int) -> None:
        """See a small response that a SIM shows."""
        self._codes[_small(v, count)] = ("small", bits)

    def typed(self, v: Values, type_: str, number: str, amount: str) -> str:
        """Return the digits that she has typed: what she saw, else what she makes of a key.

        What the mutant takes for the same code, she has typed in its place, cut to the length.
        """
        seen = self._codes.get(_code(v, type_, number, amount))
        if seen is None:
            tag = self._book.tag(type_, self.key(v), v["C"], number, amount)
        else:
            shift = BITS[type_] - BITS[seen[0]]
            tag = seen[1] << shift if shift >= 0 else seen[1] >> -shift
        return self._book.digits(type_, tag, v["C"], number)

    def typed_small(self, v: Values, count: str, made: int) -> int:
        """Return the bits of the small response that she saw, else those *made* of the key."""
        return self._codes.get(_small(v, count), ("small", made))[1]


def reduced(text: str) -> str:
    """Return a term of the model in its simplest form."""
    found = term("SMALL", text)
    found.reduce()
    return str(found)


def _key(v: Values) -> str:
    return v.get("K", f"session({v['F']}, {v['C']})")


def _code(v: Values, type_: str, number: str, amount: str) -> str:
    count = "0" if (type_, v["F"]) == ("m5", "proofReused") else number
    return reduced(f"tag({v['F']}, {_key(v)}, {v['C']}, {type_}, {count}, {amount})")


def _small(v: Values, count: str) -> str:
    return reduced(f"response({v['F']}, {v['A']}, {v['B']}, {v['V']}, {count}, {v['NA']})")
