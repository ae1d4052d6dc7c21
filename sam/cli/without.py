"""Python and Twisted without TLS, which takes 6 MiB and a tenth of the time until Sam is ready."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NEEDED_BY_TLS: Final = ("ssl", "OpenSSL")


@contextmanager
def without_tls() -> Iterator[None]:
    """Have what is imported inside do without TLS, as it does where Python and Twisted lack it.

    For programs that use no TLS. What is loaded already stays.
    """
    missing = [name for name in _NEEDED_BY_TLS if name not in sys.modules]
    for name in missing:
        sys.modules[name] = None  # type: ignore[assignment] # so Python says: not installed
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
