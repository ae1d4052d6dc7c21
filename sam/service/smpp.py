"""The SMSCs of a configuration, made into one carrier."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.carrier import Sink
from dtns.gateway.errors import AddressError
from dtns.sam.configuration import Config
from dtns.sam.configuration.smpp import SmppSection
from dtns.sam.errors import ConfigError
from dtns.sam.service.secretfile import read_secret

if TYPE_CHECKING:
    from dtns.gateway.smpp.carrier import SmppCarrier
    from dtns.gateway.smpp.settings import Settings

SMPP: Final = "smpp"
MOST_PASSWORD_OCTETS: Final = 64
"""SMPP 3.4 has 8, many an SMSC takes more."""


def make_smpp(config: Config, sink: Sink, *, reactor: Any, random: Random) -> SmppCarrier | None:
    """Make the carrier of all enabled SMSCs; None if there are none.

    Raises:
        ConfigError: a password or a certificate cannot be read, or a package is missing.
    """
    sections = {name: section for name, section in config.smscs.items() if section.enabled}
    if not sections:
        return None
    from dtns.gateway.smpp.carrier import SmppCarrier  # noqa: PLC0415 (only where used)
    from dtns.gateway.smpp.timing import USUAL  # noqa: PLC0415 (the same)

    smscs = {
        name: _settings(config, name, section, USUAL.connect, reactor)
        for name, section in sections.items()
    }
    quiet = {name: section.enquire_seconds for name, section in sections.items()}
    return SmppCarrier(SMPP, smscs, sink, random=random, reactor=reactor, quiet=quiet)


def _settings(
    config: Config, name: str, section: SmppSection, connect: float, reactor: Any
) -> Settings:
    from dtns.gateway.smpp.endpoint import smsc_endpoint  # noqa: PLC0415 (as above)
    from dtns.gateway.smpp.messages import Address, address_of  # noqa: PLC0415 (as above)
    from dtns.gateway.smpp.settings import Settings  # noqa: PLC0415 (as above)

    ca = None if section.tls_ca is None else config.folder / section.tls_ca
    try:
        endpoint = smsc_endpoint(
            reactor, section.host, section.port, tls=section.tls, ca=ca, timeout=connect
        )
    except (AddressError, ValueError) as fault:
        raise ConfigError(f"gateway.smpp.{name}: {fault}") from None
    source = address_of(section.source or config.sam.service_number)
    ton = source.ton if section.source_ton is None else section.source_ton
    npi = source.npi if section.source_npi is None else section.source_npi
    return Settings(
        endpoint,
        f"{section.host}:{section.port}",
        section.system_id,
        read_password(config, name, section),
        Address(source.digits, ton, npi),
        system_type=section.system_type,
        kind=section.bind,
        binds=section.binds,
        window=section.window,
        per_second=section.per_second,
    )


def read_password(config: Config, name: str, section: SmppSection) -> str:
    """Read an SMSC's password; ConfigError says what is wrong with its file."""
    assert section.password_file is not None
    path = config.folder / section.password_file
    password = read_secret(path, "SMPP password")
    if not 1 <= len(password) <= MOST_PASSWORD_OCTETS or not password.isprintable():
        raise ConfigError(
            f"gateway.smpp.{name}.password_file: {path} must hold 1 to {MOST_PASSWORD_OCTETS} "
            "printable ASCII characters, on one line"
        )
    return password
