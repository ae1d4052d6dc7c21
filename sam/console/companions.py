"""Which companions a configuration asks for."""

from __future__ import annotations

from dtns.sam.configuration import Config
from dtns.sam.service.beside import Companion


def companions(config: Config) -> list[Companion]:
    """Return what has to run beside Sam; what is not wanted is not even imported."""
    found: list[Companion] = []
    if config.metrics.enabled:
        from dtns.sam.console.scraping import Scraping  # noqa: PLC0415 (slow, and rarely wanted)

        found.append(Scraping())
    if config.console.enabled:
        from dtns.sam.console.operator.console import Console  # noqa: PLC0415 (the same)

        found.append(Console())
    return found
