"""`[gateway.ussd.NAME]`, and what the loopback network's USSD shares with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from attrs import field, frozen
from attrs.validators import ge, in_, le

from dtns.gateway.loopback.address import TcpAddress, parse_address

LANGUAGES: Final = ("en", "sw", "fr", "hi")
"""In which the USSD menu speaks."""
_USSD_CODE: Final = re.compile(r"\*[0-9]{2,6}(\*[0-9]{1,6}){0,4}#")


def is_ussd_code(_: object, __: object, value: str) -> None:
    """Insist on a code to dial, or none."""
    if value and _USSD_CODE.fullmatch(value) is None:
        raise ValueError('must be a code such as "*384#" or "*384*7#", or "" for none')


def is_country(_: object, __: object, value: str) -> None:
    """Insist on a country's letters, or none."""
    if value and re.fullmatch("[A-Z]{2}", value) is None:
        raise ValueError('must be two capital letters, as in "KE", or "" for none')


def _are_sources(_: object, __: object, value: str) -> None:
    try:
        parse_sources(value)
    except ValueError:
        raise ValueError(
            'must be networks with commas between them, as in "127.0.0.0/8, 196.201.214.0/24"'
        ) from None


def parse_sources(text: str) -> list[IPv4Network | IPv6Network]:
    """Return the networks that *text* lists; ValueError if it lists anything else, or none."""
    return [ip_network(part.strip()) for part in text.split(",")]


@frozen
class UssdSection:
    """`[gateway.ussd.NAME]`: an aggregator's USSD callbacks, in the form of Africa's Talking.

    They come from *sources* to listen, at a path that ends in what path_file holds; answers by
    SMS leave by the carrier *sms*. Callers dial as in home_country; a screen shows so many
    characters.
    """

    listen: str = ""
    path_file: Path | None = None
    sources: str = field(default="127.0.0.0/8, ::1/128", validator=_are_sources)
    sms: str = "loopback"
    language: str = field(default="en", validator=in_(LANGUAGES))
    home_country: str = field(default="", validator=is_country)
    screen_characters: int = field(default=160, validator=[ge(40), le(182)])
    enabled: bool = True

    def objections(self) -> Iterator[tuple[str, str]]:
        """Yield, by key, what is wrong with the section as a whole."""
        try:
            good = isinstance(parse_address(self.listen), TcpAddress)
        except ValueError:
            good = False
        if not good:
            yield "listen", 'must be tcp:HOST:PORT, as in "tcp:127.0.0.1:8384"'
        if self.path_file is None:
            yield "path_file", "must be given: a file with the last part of the path"
