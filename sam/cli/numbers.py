"""Telephone numbers as arguments of commands."""

from __future__ import annotations

from typing import Any, Final

import click

from dtns.sam.protocol.numbers import Number, parse_number


class NumberType(click.ParamType[Number]):
    """A telephone number in international form."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Number:
        """Return the canonical number."""
        try:
            return parse_number(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


NUMBER: Final = NumberType()
