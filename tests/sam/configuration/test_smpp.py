"""`[gateway.smpp.NAME]`: what is wrong with it is told, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dtns.sam.configuration import load_config
from dtns.sam.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[gateway.smpp.one]
host = "smsc.example.net"
system_id = "sam"
password_file = "password"
"""


def refusal(folder: Path, text: str) -> str:
    """Return what is wrong with a configuration."""
    (folder / "dtns.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_config(folder / "dtns.toml")
    return str(refused.value)


def test_defaults(tmp_path: Path) -> None:
    """Three keys are enough, and several SMSCs may stand side by side."""
    (tmp_path / "dtns.toml").write_text(GOOD + GOOD.replace("one", "two"))
    config = load_config(tmp_path / "dtns.toml")
    assert sorted(config.smscs) == ["one", "two"]
    one = config.smscs["one"]
    assert (one.port, one.bind, one.binds, one.window) == (2775, "transceiver", 1, 10)
    assert config.effective()["gateway.smpp.two"]["password_file"] == "password"


@pytest.mark.parametrize(
    "line",
    [
        *("port = 0", "port = 65536", 'port = "2775"', "port = true"),
        *('host = "http://smsc"', 'host = "a b"', "host = 5"),
        *('system_id = "sixteen-octets!!"', 'system_id = "\u00e9"', 'system_id = "a\\tb"'),
        *('bind = "receiver"', "bind = 1", "binds = 0", "binds = 17"),
        *("window = 0", "window = 1001", "per_second = -1.0", "per_second = inf"),
        *('source = ""', 'source = "a name that is too long"', 'source = "1"'),
        *("source_ton = 256", "source_npi = -1", "enquire_seconds = 0.5"),
        *('tls_ca = "x.pem"', 'tls = "yes"', 'system_type = "thirteen-long"'),
        *('password = "secret"', 'pasword_file = "x"', "password_file = 5"),
    ],
)
def test_what_is_not_allowed(tmp_path: Path, line: str) -> None:
    """Each is named with its key, its line and what is allowed; a password is not shown."""
    key = line.split(maxsplit=1)[0]
    others = [each for each in GOOD.splitlines() if not each.startswith(f"{key} =")]
    told = refusal(tmp_path, "\n".join([*others, line]))
    assert f"gateway.smpp.one.{key}" in told
    assert "must be" in told or "unknown key" in told or "is given" in told or "is too" in told


def test_what_must_be_given(tmp_path: Path) -> None:
    """Host, system_id and password_file have no default; all that is missing is told at once."""
    told = refusal(tmp_path, "[gateway.smpp.one]\n[gateway.smpp.Two]\n")
    for key in ("one.host", "one.system_id", "one.password_file", "Two"):
        assert f"gateway.smpp.{key}" in told
