"""SMSCs of a configuration: what is made of them, and files that are wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from twisted.internet import reactor

from dtns.gateway.smpp.messages import Address
from dtns.sam.configuration import load_config
from dtns.sam.errors import ConfigError
from dtns.sam.service.smpp import make_smpp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtns.gateway.carrier import Inbound, Report, Settled
    from dtns.gateway.smpp.carrier import SmppCarrier


class NoSink:
    """Nothing comes."""

    def received(self, messages: Sequence[Inbound], settled: Settled) -> None:
        """Take messages."""

    async def reported(self, report: Report) -> None:
        """Take a report."""


def make(folder: Path, more: str = "") -> SmppCarrier | None:
    """Make the carrier of one SMSC, with more keys."""
    config = folder / "dtns.toml"
    config.write_text(
        '[gateway.smpp.one]\nhost = "smsc"\nsystem_id = "sam"\npassword_file = "password"\n' + more
    )
    return make_smpp(load_config(config), NoSink(), reactor=reactor, random=Random(1))


def refusal(folder: Path, more: str = "") -> str:
    """Return why none can be made."""
    with pytest.raises(ConfigError) as refused:
        make(folder, more)
    return str(refused.value)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """Write a password file."""
    path = tmp_path / "password"
    path.write_text("secret\n")
    path.chmod(0o600)
    return path


def test_what_is_made(tmp_path: Path, password: Path) -> None:
    """Binds, windows and the source are those of the section; a name has a type of its own."""
    made = make(tmp_path, 'bind = "pair"\nbinds = 2\nwindow = 7\nsource = "DTNS"\n')
    assert made is not None
    settings = made.smscs["one"].settings
    assert [bind.account.role.name for bind in made.smscs["one"].binds] == [
        *("BIND_TRANSMITTER", "BIND_RECEIVER"),
        *("BIND_TRANSMITTER", "BIND_RECEIVER"),
    ]
    assert (settings.source, settings.place) == (Address("DTNS", 5, 0), "smsc:2775")
    assert (made.name, made.windows, made.connected) == ("smpp", 14, False)
    made = make(tmp_path, "source_ton = 3\nsource_npi = 1\n")
    assert made is not None
    assert made.smscs["one"].settings.source == Address("7267", 3, 1)
    assert make(tmp_path, "enabled = false\n") is None


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("secret", 0o644, "chmod 600"),
        ("secret", 0o620, "chmod 600"),
        ("", 0o600, "1 to 64 printable"),
        ("x" * 65, 0o600, "1 to 64 printable"),
        ("x" * 100_000, 0o600, "1 to 64 printable"),
        ("two\nlines", 0o600, "on one line"),
        ("p\u00e4ss", 0o600, "it is no SMPP password"),
    ],
)
def test_a_password_file_that_is_wrong(
    tmp_path: Path, password: Path, content: str, mode: int, said: str
) -> None:
    """It is named, with what is allowed, and never its content."""
    password.write_text(content)
    password.chmod(mode)
    told = refusal(tmp_path)
    assert said in told
    assert str(password) in told
    assert not content or content not in told


def test_a_password_that_is_no_file(tmp_path: Path) -> None:
    """What is missing, a folder or a pipe is refused at once, and not waited for."""
    assert "No such file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "password", 0o600)
    assert "no regular file" in refusal(tmp_path)
    (tmp_path / "password").unlink()
    (tmp_path / "password").mkdir(0o700)
    assert "no regular file" in refusal(tmp_path)


@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nxx\n"])
def test_authorities_that_are_none(tmp_path: Path, password: Path, content: str | None) -> None:
    """A file without a certificate is named, with the section."""
    if content is not None:
        (tmp_path / "operator.pem").write_text(content)
    told = refusal(tmp_path, 'tls = true\ntls_ca = "operator.pem"\n')
    assert "operator.pem" in told
    assert "gateway.smpp.one" in told


def test_a_certificate_that_is_junk(tmp_path: Path, password: Path) -> None:
    """It is named."""
    junk = "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"
    (tmp_path / "operator.pem").write_text(junk)
    assert "it is no PEM file" in refusal(tmp_path, 'tls = true\ntls_ca = "operator.pem"\n')


def test_without_the_extra(tmp_path: Path, password: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binds need no more packages; what TLS needs is named, with the line that installs it."""
    monkeypatch.setitem(sys.modules, "twisted.internet.ssl", None)
    assert make(tmp_path) is not None
    assert "pip install 'dtns[smpp]'" in refusal(tmp_path, "tls = true\n")
