"""dtns: a delay-tolerant Needham-Schroeder key service over SMS and USSD."""

from __future__ import annotations

__version__ = "0.1.0"
