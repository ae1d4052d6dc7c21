"""Where an SMSC is: a TCP connection, or one with TLS."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS

from dtns.gateway.errors import AddressError

if TYPE_CHECKING:
    from pathlib import Path

_PEM_END: Final = "-----END CERTIFICATE-----"


def smsc_endpoint(
    reactor: Any, host: str, port: int, *, tls: bool = False, ca: Path | None = None, timeout: float
) -> Any:
    """Return the Twisted endpoint that connects to *host* within *timeout* seconds.

    With *tls* the SMSC must show a certificate for *host*, by the system's authorities or by
    those in the PEM file *ca* alone.

    Raises:
        AddressError: what TLS needs is not installed, or *ca* holds no certificate.
    """
    plain = HostnameEndpoint(reactor, host, port, timeout=timeout)
    if not tls:
        return plain
    try:
        ssl: Any = import_module("twisted.internet.ssl")  # heavy, and not always installed
    except ImportError:
        raise AddressError("TLS needs more packages: pip install 'dtns[smpp]'") from None
    trust = ssl.platformTrust() if ca is None else _trust_in(ca, ssl)
    return wrapClientTLS(ssl.optionsForClientTLS(host, trustRoot=trust), plain)


def _trust_in(ca: Path, ssl: Any) -> Any:
    """Return trust in the certificates of a PEM file alone."""
    try:
        pieces = ca.read_text(encoding="ascii").split(_PEM_END)[:-1]
        authorities = [ssl.Certificate.loadPEM(piece + _PEM_END) for piece in pieces]
    except Exception as fault:  # noqa: BLE001 (the TLS library has errors of its own)
        reason = getattr(fault, "strerror", None) or "it is no PEM file"
        raise AddressError(f"cannot read the certificates in {ca}: {reason}") from None
    if not authorities:
        raise AddressError(f"there is no certificate in {ca}")
    return ssl.trustRootFromCertificates(authorities)
