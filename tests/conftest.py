"""What holds for every test: Hypothesis judges what comes out, never how long it took."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("dtns", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dtns")
