"""Twisted without its TLS, which takes 6 MiB and a tenth of the time until Sam is ready."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NEEDED_BY_TLS: Final = "OpenSSL"


@contextmanager
def without_tls() -> Iterator[None]:
    """Have what is imported inside do without TLS, as Twisted does where pyOpenSSL is missing.

    For programs that use no TLS. Without effect once pyOpenSSL is loaded. Python's own `ssl` is
    left alone: packages count on all of the standard library.
    """
    if _NEEDED_BY_TLS in sys.modules:
        yield
        return
    sys.modules[_NEEDED_BY_TLS] = None  # type: ignore[assignment] # so Python says: not installed
    try:
        yield
    finally:
        del sys.modules[_NEEDED_BY_TLS]
