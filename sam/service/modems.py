"""The modems of a configuration, made into one carrier."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from dtns.gateway.carrier import Sink
from dtns.gateway.modem.timing import USUAL, Timing
from dtns.sam.configuration import Config
from dtns.sam.configuration.sections import CREDENTIALS, ModemSection
from dtns.sam.errors import ConfigError
from dtns.sam.service.secretfile import read_secret

if TYPE_CHECKING:
    from dtns.gateway.modem.carrier import ModemCarrier
    from dtns.gateway.modem.session import Settings

MODEM: Final = "modem"
GSM: Final = "gsm"
"""The network whose phones modems reach."""
REFUSED_PINS: Final = "refused-pins"


def make_modems(
    config: Config, sink: Sink, *, reactor: Any, random: Random, timing: Timing = USUAL
) -> ModemCarrier | None:
    """Make the carrier of all enabled modems; None if there are none.

    SIM cards that refused their PIN are remembered beside the configuration.
    """
    if not any(section.enabled for section in config.modems.values()):
        return None
    from dtns.gateway.modem.card import RefusedPins  # noqa: PLC0415 (imports the driver)
    from dtns.gateway.modem.carrier import ModemCarrier  # noqa: PLC0415 (the same)

    modems = {
        name: (modem_settings(config, name, section), section.per_minute)
        for name, section in config.modems.items()
        if section.enabled
    }
    refused = RefusedPins(config.folder / REFUSED_PINS)
    return ModemCarrier(MODEM, modems, sink, refused, reactor=reactor, random=random, timing=timing)


def modem_settings(config: Config, name: str, section: ModemSection) -> Settings:
    """Return a modem's settings, with its PIN; ConfigError if the PIN cannot be read."""
    from dtns.gateway.modem.session import Settings  # noqa: PLC0415 (imports the driver)

    return Settings(
        device=section.device,
        baud=section.baud,
        pin=read_pin(pin_path(config, name, section)),
        reports=section.delivery_reports,
    )


def pin_path(config: Config, name: str, section: ModemSection) -> Path | None:
    """Return the file that holds a modem's PIN; None if it has none."""
    if section.pin_file is not None:
        return config.folder / section.pin_file
    if section.pin_credential is None:
        return None
    folder = os.environ.get(CREDENTIALS)
    if folder is None:
        raise ConfigError(
            f"gateway.modem.{name}.pin_credential: systemd gives no credentials here; "
            "use LoadCredential= in the unit, or pin_file"
        )
    return Path(folder) / section.pin_credential


def read_pin(path: Path | None) -> str | None:
    """Read a PIN; ConfigError if the file is missing, or others may read it."""
    return None if path is None else read_secret(path, "PIN")
