"""Octets of keys, which never show."""

from __future__ import annotations

from typing import Self


class Key(bytes):
    """Key octets that never show in a repr, a log line or a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<key of {len(self)} octets>"

    __str__ = __repr__

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as hexadecimal *text*; ValueError (without it) if it is none."""
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise ValueError("a key is written in hexadecimal digits") from None
