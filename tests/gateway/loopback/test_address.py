"""Network addresses: unix:PATH and tcp:HOST:PORT."""

from __future__ import annotations

import pytest

from dtns.gateway.errors import AddressError
from dtns.gateway.loopback.address import TcpAddress, UnixAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/dtns/network.sock", UnixAddress("/run/dtns/network.sock")),
        ("unix:dtns-data/n.sock", UnixAddress("dtns-data/n.sock")),
        ("unix:a:b", UnixAddress("a:b")),
        ("tcp:127.0.0.1:7700", TcpAddress("127.0.0.1", 7700)),
        ("tcp:localhost:0", TcpAddress("localhost", 0)),
        ("tcp:[::1]:65535", TcpAddress("::1", 65535)),
    ],
)
def test_reads_and_writes_back(text: str, address: UnixAddress | TcpAddress) -> None:
    """An address is read, and written as it was."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "unix", "unix:", "unix:a\0b", "/run/sock", "udp:127.0.0.1:1", "tcp:", "tcp:7700"),
        *("tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp::7700", "tcp:h:65536", "tcp:h:-1", "tcp:h:٣"),
        *("tcp:::1:7700", "tcp:h:" + "9" * 5000),
    ],
)
def test_refuses(text: str) -> None:
    """What is no address is refused with a message that tells what to write."""
    with pytest.raises(AddressError, match=r"unix:|tcp:"):
        parse_address(text)


def test_path_length() -> None:
    """A path of 107 octets fits a socket; a longer one is refused by name, with the limit."""
    assert parse_address("unix:/" + "x" * 106)
    for path in ("/" + "x" * 107, "/" + "é" * 54):
        with pytest.raises(AddressError, match="at most 107") as refusal:
            parse_address(f"unix:{path}")
        assert path in str(refusal.value)
