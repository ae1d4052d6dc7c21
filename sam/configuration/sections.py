"""The sections of `dtns.toml`, as values with their defaults and ranges."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import asdict, field, frozen
from attrs.validators import ge, in_, le, optional

from dtns.gateway.loopback.address import SUN_PATH_OCTETS, parse_address
from dtns.gateway.loopback.conditions import Conditions
from dtns.sam.configuration.gsup import GsupSection
from dtns.sam.configuration.smpp import SmppSection
from dtns.sam.configuration.ussd import LANGUAGES, UssdSection, is_country, is_ussd_code
from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.payments import PurseTerms

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""The environment variable in which systemd names the folder of a unit's credentials."""
_CREDENTIAL: Final = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SITE: Final = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_SERVICE_NUMBER: Final = re.compile(r"\+?[0-9]{2,15}")


def _is_service_number(_: object, __: object, value: str) -> None:
    if _SERVICE_NUMBER.fullmatch(value) is None:
        raise ValueError('must be 2 to 15 digits in quotes, as in "7267" or "+254700000000"')


def _is_credential(_: object, __: object, value: str) -> None:
    if _CREDENTIAL.fullmatch(value) is None:
        raise ValueError("must be a credential's name, as in LoadCredential= of the unit")


def _is_device(_: object, __: object, value: str) -> None:
    if value and not value.startswith("/"):
        raise ValueError('must be an absolute path, as in "/dev/ttyUSB0" or "/dev/serial/by-id/*"')


@frozen
class SamSection:
    """`[sam]`: where Sam is reached and keeps what it knows; paths are relative to the file.

    Without a journal's path it is the file's folder with `.journal` after its name. Decisions lose
    what tells of people after retention_days, 0 for never. Where systemd gives credentials, the
    master keys are in the one named master_key_credential. log_exchanges logs each step of each.
    """

    service_number: str = field(default="7267", validator=_is_service_number)
    store: Path = Path("dtns.sqlite")
    journal: Path | None = None
    retention_days: int = field(default=400, validator=[ge(0), le(36_500)])
    master_key: Path = Path("master.key")
    master_key_credential: str | None = field(default=None, validator=optional(_is_credential))
    log_exchanges: bool = False
    admin_socket: Path = Path("admin.sock")


@frozen
class NetworkSection:
    """`[network]`: the loopback network that `dtns serve` can run inside itself."""

    embedded: bool = True
    endpoint: str = "unix:network.sock"
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    seed: int | None = None

    @property
    def conditions(self) -> Conditions:
        """What the network does to messages; ConditionsError names every value out of range."""
        return Conditions(
            delay=self.delay,
            jitter=self.jitter,
            loss=self.loss,
            duplication=self.duplication,
            reordering=self.reordering,
        )


@frozen
class LoopbackSection:
    """`[gateway.loopback]`: Sam's own line to a loopback network, by default the embedded one.

    send_per_minute and receive_per_minute 0 mean no limit. USSD sessions of ussd_code ("" for
    none) come to Sam, too, in the language and country given.
    """

    enabled: bool = True
    endpoint: str | None = None
    ussd_code: str = field(default="*384#", validator=is_ussd_code)
    language: str = field(default="en", validator=in_(LANGUAGES))
    home_country: str = field(default="", validator=is_country)
    send_per_minute: float = field(default=0.0, validator=[ge(0.0), le(6_000_000.0)])
    receive_per_minute: float = field(default=0.0, validator=[ge(0.0), le(6_000_000.0)])


@frozen
class ModemSection:
    """`[gateway.modem.NAME]`: a GSM modem of that name; a relative PIN file is beside the file.

    per_minute 0 means no limit.
    """

    device: str = field(default="", validator=_is_device)
    baud: int = field(default=115200, validator=[ge(300), le(4_000_000)])
    pin_file: Path | None = None
    pin_credential: str | None = None
    per_minute: float = field(default=10.0, validator=[ge(0.0), le(60_000.0)])
    delivery_reports: bool = True
    enabled: bool = True


def _is_site(_: object, __: object, value: str) -> None:
    if value and _SITE.fullmatch(value) is None:
        raise ValueError('must be a scheme and a host alone, as in "https://sam.example.org"')


@frozen
class ConsoleSection:
    """`[console]`: the operator's pages; url is where a browser finds them behind a proxy.

    With simulator they have the two-phone page among them, whose Sam and phones are its own.
    """

    enabled: bool = False
    simulator: bool = False
    listen: str = "tcp:127.0.0.1:7280"
    url: str = field(default="", validator=_is_site)


@frozen
class MetricsSection:
    """`[metrics]`: figures for Prometheus, and whether Sam is alive and ready."""

    enabled: bool = False
    listen: str = "tcp:127.0.0.1:7281"


@frozen
class Config:
    """A whole configuration; path is the file it was read from, absolute."""

    path: Path
    sam: SamSection = field(factory=SamSection)
    policy: Policy = field(factory=Policy)
    payments: PurseTerms = field(factory=PurseTerms)
    network: NetworkSection = field(factory=NetworkSection)
    loopback: LoopbackSection = field(factory=LoopbackSection)
    modems: Mapping[str, ModemSection] = field(factory=dict)
    ussd: Mapping[str, UssdSection] = field(factory=dict)
    hlrs: Mapping[str, GsupSection] = field(factory=dict)
    console: ConsoleSection = field(factory=ConsoleSection)
    metrics: MetricsSection = field(factory=MetricsSection)
    smscs: Mapping[str, SmppSection] = field(factory=dict)

    @property
    def tls(self) -> bool:
        """Whether anything that Sam connects to wants TLS."""
        return any(smsc.enabled and smsc.tls for smsc in self.smscs.values())

    @property
    def takes_ussd(self) -> bool:
        """Whether there is a way for USSD to come in."""
        coded: tuple[LoopbackSection | SmppSection, ...] = (self.loopback, *self.smscs.values())
        others: tuple[UssdSection | GsupSection, ...] = (*self.ussd.values(), *self.hlrs.values())
        return any(way.enabled and way.ussd_code for way in coded) or any(
            way.enabled for way in others
        )

    @property
    def folder(self) -> Path:
        """The directory of the file, to which its relative paths belong."""
        return self.path.parent

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.folder / self.sam.store

    @property
    def journal(self) -> Path:
        """The journal's file."""
        beside = self.folder.parent / f"{self.folder.name}.journal"
        return beside if self.sam.journal is None else self.folder / self.sam.journal

    @property
    def lock(self) -> Path:
        """The lock that the only Sam on this store holds; it stands beside the store."""
        return self.store.parent / "lock"

    @property
    def master_key(self) -> Path:
        """The master key file, or the credential that systemd gives in its place."""
        given = os.environ.get(CREDENTIALS)
        if given and self.sam.master_key_credential:
            return Path(given) / self.sam.master_key_credential
        return self.folder / self.sam.master_key

    @property
    def admin_socket(self) -> Path:
        """The Unix socket through which a running Sam is administered."""
        return self.folder / self.sam.admin_socket

    @property
    def network_endpoint(self) -> str:
        """Where the embedded network listens; a Unix path is absolute."""
        return self._absolute(self.network.endpoint)

    @property
    def loopback_endpoint(self) -> str:
        """The network on which Sam is reached and phones attach; a Unix path is absolute."""
        return self._absolute(self.loopback.endpoint or self.network.endpoint)

    @property
    def console_endpoint(self) -> str:
        """Where the console listens; a Unix path is absolute."""
        return self._absolute(self.console.listen)

    @property
    def metrics_endpoint(self) -> str:
        """Where the metrics are; a Unix path is absolute."""
        return self._absolute(self.metrics.listen)

    def section(self, name: str) -> Any:
        """Return the section that the file calls *name*."""
        family, _, own = name.rpartition(".")
        if family in FAMILIES:
            return getattr(self, FAMILY_FIELDS[family])[own]
        return getattr(self, own)

    def effective(self) -> dict[str, Any]:
        """Return every value in force, by section and key, as JSON values; no secret is in it."""
        values = {name: asdict(self.section(name)) for name in SECTIONS}
        values["sam"] |= {
            "store": str(self.store),
            "journal": str(self.journal),
            "master_key": str(self.master_key),
            "admin_socket": str(self.admin_socket),
        }
        values["network"]["endpoint"] = self.network_endpoint
        values["gateway.loopback"]["endpoint"] = self.loopback_endpoint
        values["console"]["listen"] = self.console_endpoint
        values["metrics"]["listen"] = self.metrics_endpoint
        for family, fields in FAMILY_FIELDS.items():
            for own in getattr(self, fields):
                section = asdict(self.section(f"{family}.{own}"))
                values[f"{family}.{own}"] = {
                    key: str(value) if isinstance(value, Path) else value
                    for key, value in section.items()
                }
        return values

    def _absolute(self, endpoint: str) -> str:
        kind, _, path = endpoint.partition(":")
        return f"unix:{self.folder / path}" if kind == "unix" else endpoint


SECTIONS: Final = {
    "sam": SamSection,
    "policy": Policy,
    "payments": PurseTerms,
    "network": NetworkSection,
    "gateway.loopback": LoopbackSection,
    "console": ConsoleSection,
    "metrics": MetricsSection,
}
"""Each section of the file and the class whose fields are its keys."""

FAMILIES: Final = {
    "gateway.modem": ModemSection,
    "gateway.smpp": SmppSection,
    "gateway.gsup": GsupSection,
    "gateway.ussd": UssdSection,
}
"""Sections of which there may be several, each with a name of its own: `[gateway.modem.NAME]`."""

FAMILY_FIELDS: Final = {
    "gateway.modem": "modems",
    "gateway.smpp": "smscs",
    "gateway.gsup": "hlrs",
    "gateway.ussd": "ussd",
}
"""The field of `Config` that holds a family's sections by their own names."""


def objections_to_sockets(config: Config) -> dict[str, str]:
    """Return, by key, why Sam could not listen or connect where the configuration says."""
    objections = {}
    length = len(os.fsencode(config.admin_socket))
    if length > SUN_PATH_OCTETS:
        objections["sam.admin_socket"] = (
            f"{config.admin_socket} is too long for a Unix socket: {length} octets, at most "
            f"{SUN_PATH_OCTETS}; choose a directory with a shorter path, or a short absolute path "
            "for the socket alone"
        )
    for key, endpoint in (
        ("network.endpoint", config.network_endpoint),
        ("gateway.loopback.endpoint", config.loopback_endpoint),
        ("console.listen", config.console_endpoint),
        ("metrics.listen", config.metrics_endpoint),
    ):
        try:
            parse_address(endpoint)
        except ValueError as fault:
            objections.setdefault(key, str(fault))
    for name, modem in config.modems.items():
        if not modem.device:
            objections[f"gateway.modem.{name}.device"] = "must be given: the modem's serial port"
        if modem.pin_file is not None and modem.pin_credential is not None:
            objections[f"gateway.modem.{name}.pin_file"] = "is given, and pin_credential too"
    others: Iterable[tuple[str, SmppSection | UssdSection | GsupSection]] = (
        *((f"gateway.smpp.{name}", smsc) for name, smsc in config.smscs.items()),
        *((f"gateway.ussd.{name}", ussd) for name, ussd in config.ussd.items()),
        *((f"gateway.gsup.{name}", hlr) for name, hlr in config.hlrs.items()),
    )
    for name, section in others:
        objections |= {f"{name}.{key}": objection for key, objection in section.objections()}
    if config.loopback.endpoint is None:
        objections.pop("gateway.loopback.endpoint", None)
    return objections
