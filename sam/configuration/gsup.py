"""`[gateway.gsup.NAME]`: USSD that an HLR routes here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import field, frozen
from attrs.validators import in_

from dtns.gateway.loopback.address import TcpAddress, parse_address
from dtns.sam.configuration.ussd import LANGUAGES, is_country, is_ussd_code


def _is_entity(_: object, __: object, value: str) -> None:
    if re.fullmatch("[A-Za-z0-9._-]{1,64}", value) is None:
        raise ValueError('must be the name of an euse in the HLR, as in "dtns"')


@frozen
class GsupSection:
    """`[gateway.gsup.NAME]`: Osmocom's HLR at hlr, its control interface at control.

    It routes USSD to the entity *euse*. Answers by SMS leave by the carrier *sms*.
    """

    hlr: str = "tcp:127.0.0.1:4222"
    control: str = "tcp:127.0.0.1:4259"
    euse: str = field(default="dtns", validator=_is_entity)
    ussd_code: str = field(default="*384#", validator=is_ussd_code)
    sms: str = "loopback"
    language: str = field(default="en", validator=in_(LANGUAGES))
    home_country: str = field(default="", validator=is_country)
    enabled: bool = True

    def objections(self) -> Iterator[tuple[str, str]]:
        """Yield, by key, what is wrong with the section as a whole."""
        for key in ("hlr", "control"):
            try:
                good = isinstance(parse_address(getattr(self, key)), TcpAddress)
            except ValueError:
                good = False
            if not good:
                yield key, 'must be tcp:HOST:PORT, as in "tcp:127.0.0.1:4222"'
