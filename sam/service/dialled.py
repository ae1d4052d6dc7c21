"""Numbers as people of one country dial them, and as networks name callers."""

from __future__ import annotations

import unicodedata
from typing import Final

from dtns.sam.protocol.numbers import Number, is_number

_KEPT: Final = frozenset("0123456789+")
_DROPPED: Final = frozenset(" \t-.()/")


def dialled_number(text: str, country: str = "") -> Number | None:
    """Return the number that somebody in *country* (ISO 3166, as in KE) means, None if it is none.

    A person dials 0712 345 678, 254712345678 or +254 712 345 678. Without a country the number
    must be international; its plus, or 00, may be left out.
    """
    kept = (character for character in text if character not in _DROPPED)
    digits = "".join(f"{unicodedata.decimal(each, each)}" for each in kept)
    if not digits or not _KEPT.issuperset(digits) or "+" in digits[1:]:
        return None
    return _in_country(digits, country) if country else _international(digits)


def _international(digits: str) -> Number | None:
    number = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    return Number(number) if is_number(number) else None


def _in_country(digits: str, country: str) -> Number | None:
    import phonenumbers  # noqa: PLC0415 (its tables take long, and some Sams need none)

    try:
        parsed = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    number = written.removeprefix("+")
    return Number(number) if is_number(number) else None
