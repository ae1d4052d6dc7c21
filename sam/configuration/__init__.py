"""The configuration file: `dtns.toml` as frozen values, with all its faults told at once."""

from __future__ import annotations

from dtns.sam.configuration.loading import load_config
from dtns.sam.configuration.sections import Config

__all__ = ["Config", "load_config"]
