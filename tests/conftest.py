"""What holds for every test.

Hypothesis judges what comes out, never how long it took. Programs that tests start can be ended
by SIGINT even where the tests run in the background of a shell, which has them ignore it.
"""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("dtns", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dtns")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
