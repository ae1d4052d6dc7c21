"""The seam's values: nothing personal in what ends up in logs."""

from __future__ import annotations

from dtns.gateway.carrier import Inbound, Outbound


def test_repr_has_no_number_and_no_text() -> None:
    """The repr of a message, which logs and tracebacks show, has no number and no text."""
    inbound = repr(Inbound("loopback", "1", "+254700000001", "secret", 0.0))
    outbound = repr(Outbound("7", "+254700000001", "secret", 60))
    assert "254700000001" not in inbound + outbound
    assert "secret" not in inbound + outbound
