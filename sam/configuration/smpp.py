"""`[gateway.smpp.NAME]`: the binds to one SMSC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import field, frozen
from attrs.validators import ge, in_, le

from dtns.gateway.ussd.dialects import DIALECTS
from dtns.sam.configuration.ussd import LANGUAGES, is_country, is_ussd_code

SYSTEM_ID_OCTETS: Final = 15
SYSTEM_TYPE_OCTETS: Final = 12
_SOURCE: Final = re.compile(r"\+?[0-9]{2,15}|(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}")
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")


def _is_host(_: object, __: object, value: str) -> None:
    if value and _HOST.fullmatch(value) is None:
        raise ValueError('must be a host name or an address, as in "smsc.example.net"')


def _is_source(_: object, __: object, value: str | None) -> None:
    if value is not None and _SOURCE.fullmatch(value) is None:
        raise ValueError("must be 2 to 15 digits, or a name of at most 11 letters and digits")


def _printable(octets: int) -> Callable[[object, object, str], None]:
    def check(_: object, __: object, value: str) -> None:
        if len(value) > octets or not value.isascii() or not value.isprintable():
            raise ValueError(f"must be at most {octets} printable ASCII characters")

    return check


@frozen
class SmppSection:
    """`[gateway.smpp.NAME]`: an SMSC of that name; relative paths are beside the file.

    bind is the kind of bind, of which there are `binds`. window is for one of them, per_second
    for all, 0 for no limit. Without `source` messages come from the service number; its type and
    plan are told from how it is written, if they are not given. With a ussd_code, USSD sessions
    come from the SMSC, too, written in ussd_dialect.
    """

    host: str = field(default="", validator=_is_host)
    port: int = field(default=2775, validator=[ge(1), le(65_535)])
    tls: bool = False
    tls_ca: Path | None = None
    system_id: str = field(default="", validator=_printable(SYSTEM_ID_OCTETS))
    password_file: Path | None = None
    system_type: str = field(default="", validator=_printable(SYSTEM_TYPE_OCTETS))
    bind: str = field(default="transceiver", validator=in_(("transceiver", "pair")))
    binds: int = field(default=1, validator=[ge(1), le(16)])
    window: int = field(default=10, validator=[ge(1), le(1000)])
    per_second: float = field(default=0.0, validator=[ge(0.0), le(100_000.0)])
    source: str | None = field(default=None, validator=_is_source)
    source_ton: int | None = None
    source_npi: int | None = None
    ussd_code: str = field(default="", validator=is_ussd_code)
    ussd_dialect: str = field(default="standard", validator=in_(tuple(DIALECTS)))
    language: str = field(default="en", validator=in_(LANGUAGES))
    home_country: str = field(default="", validator=is_country)
    enquire_seconds: float = field(default=30.0, validator=[ge(1.0), le(3600.0)])
    enabled: bool = True

    def objections(self) -> Iterator[tuple[str, str]]:
        """Yield, by key, why nothing could be bound like this."""
        if not self.host:
            yield "host", "must be given: where the SMSC is"
        if not self.system_id:
            yield "system_id", "must be given: what the SMSC knows this service as"
        if self.password_file is None:
            yield "password_file", "must be given: a file with the password and nothing else"
        if self.tls_ca is not None and not self.tls:
            yield "tls_ca", "is given, but tls is false"
        for key in ("source_ton", "source_npi"):
            value = getattr(self, key)
            if value is not None and not 0 <= value <= 255:  # noqa: PLR2004 (an octet)
                yield key, "must be 0 to 255"
