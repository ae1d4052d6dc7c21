"""The configuration file: values, defaults, and every fault at once with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.configuration import Config, load_config
from dtns.sam.configuration.example import EXAMPLE
from dtns.sam.configuration.sections import SECTIONS
from dtns.sam.errors import ConfigError
from dtns.sam.issuing.policy import Policy


def load(folder: Path, text: str) -> Config:
    """Load a configuration of this text."""
    path = folder / "dtns.toml"
    path.write_text(text)
    return load_config(path)


def faults(folder: Path, text: str) -> list[str]:
    """Return the faults of a configuration, without the path before each."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith("the configuration has ")
    prefix = f"{folder / 'dtns.toml'}:"
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def test_an_empty_file_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    """Everything has a default."""
    config = load(tmp_path, "")
    assert config.policy == Policy()
    assert config.store == tmp_path / "dtns.sqlite"
    assert config.lock == tmp_path / "lock"
    assert config.master_key == tmp_path / "master.key"
    assert config.admin_socket == tmp_path / "admin.sock"
    assert config.network_endpoint == f"unix:{tmp_path}/network.sock"
    assert config.loopback_endpoint == config.network_endpoint


def test_the_example_says_what_the_defaults_are(tmp_path: Path) -> None:
    """The example is in order, has every key, and gives each its default."""
    example = load(tmp_path, EXAMPLE)
    assert example == Config(tmp_path / "dtns.toml")
    for name, kind in SECTIONS.items():
        start = EXAMPLE.index(f"[{name}]\n")
        end = EXAMPLE.find("\n[", start)
        section = EXAMPLE[start : end if end > 0 else None]
        for key in attrs.fields_dict(kind):
            assert f"\n{key} = " in section or f"\n# {key} = " in section, (name, key)


def test_what_is_written_is_what_is_used(tmp_path: Path) -> None:
    """Values of every kind arrive; paths are relative to the file, absolute ones stay."""
    text = """
        [sam]
        service_number = "+254700"
        store = "/var/lib/dtns/s.sqlite"
        admin_socket = "run/admin"
        [policy]
        asks_per_day = 7
        random_keys = true
        [network]
        embedded = false
        delay = 2
        jitter = 0.5
        seed = 11
        [gateway.loopback]
        endpoint = "tcp:127.0.0.1:7700"
    """
    config = load(tmp_path, text)
    assert config.sam.service_number == "+254700"
    assert config.store == Path("/var/lib/dtns/s.sqlite")
    assert config.lock == Path("/var/lib/dtns/lock")
    assert config.admin_socket == tmp_path / "run" / "admin"
    assert (config.policy.asks_per_day, config.policy.random_keys) == (7, True)
    assert (config.network.conditions.delay, config.network.seed) == (2.0, 11)
    assert config.loopback_endpoint == "tcp:127.0.0.1:7700"
    assert config.network_endpoint == f"unix:{tmp_path}/network.sock"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Unknown names, wrong types, values out of range, bad endpoints: one run names them all."""
    text = """\
top = 1
[sam]
servic_number = "7267"
store = 5
service_number = "abc"
[polcy]
x = 1
[policy]
asks_per_day = 0
random_keys = 1
default_life_weeks = 3.5
longest_life_weeks = 500
[network]
loss = 2
jitter = 4
embedded = "yes"
endpoint = "foo"
seed = true
[gateway.loopback]
enabled = "yes"
endpoint = "tcp:here"
[gateway.modem]
enabled = true
"""
    told = faults(tmp_path, text)
    expected = [
        ("1: top", "unknown key"),
        ("3: sam.servic_number", "did you mean service_number?"),
        ("4: sam.store = 5", "must be a path in quotes"),
        ('5: sam.service_number = "abc"', "must be 2 to 15 digits in quotes"),
        ("6: polcy", "did you mean policy?"),
        ("9: policy.asks_per_day = 0", "must be >= 1"),
        ("10: policy.random_keys = 1", "must be true or false"),
        ("11: policy.default_life_weeks = 3.5", "must be a whole number"),
        ("12: policy.longest_life_weeks = 500", "must be <= 104"),
        ("14: network.loss", "from 0 to 1, not 2"),
        ("15: network.jitter", "from 0 to the delay"),
        ('16: network.embedded = "yes"', "must be true or false"),
        ("17: network.endpoint", "write unix:PATH or tcp:HOST:PORT"),
        ("18: network.seed = true", "must be a whole number"),
        ('20: gateway.loopback.enabled = "yes"', "must be true or false"),
        ("21: gateway.loopback.endpoint", "write tcp:HOST:PORT"),
        ("22: gateway.modem", "unknown section"),
    ]
    assert len(told) == len(expected), told
    for line, (place, words) in zip(told, expected, strict=True):
        assert line.startswith(place), line
        assert words in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sam\n", r"no TOML: .*line 1"),
        ("[console]\nurl = 'javascript:x'\n", r":2: console.url = .*: must be a scheme and a host"),
        ("[console]\nurl = 'https://a.example/x'\n", r":2: console.url = .*a scheme and a host"),
        ("[console]\nlisten = '0.0.0.0'\n", r":2: .*write unix:PATH or tcp:HOST:PORT"),
        ("[metrics]\nlisten = 'tcp:::1:80'\n", r":2: .*in brackets"),
        ("[sam]\nmaster_key_credential = '../x'\n", r":2: .*credential's name"),
        ("\n\nx = \n", r"no TOML: .*line 3"),
        ("[sam]\n[sam]\n", r"no TOML: .*line 2"),
        ("sam = 3\n", r":1: sam: must be a section: write \[sam\]"),
        ("[gateway]\nloopback = 3\n", r":2: gateway.loopback: must be a section"),
        ("[[sam]]\nstore = 'x'\n", r"sam: must be a section"),
        ("[network]\ndelay = inf\n", r":2: network.delay = .*: must be a number"),
        ("[network]\ndelay = nan\n", r":2: network.delay = .*: must be a number"),
        ("[network]\nseed = 99999999999999999999\n", r":2: .*too large"),
        ("[sam]\nstore = ''\n", r":2: sam.store = \"\": must be a path"),
        ("[policy]\nasks_per_day = 2024-01-01\n", r":2: .*must be a whole number"),
        ('[sam]\n"store" = [1]\n', r":2: sam.store = \[1\]: must be a path"),
    ],
)
def test_odd_files_are_told(tmp_path: Path, text: str, words: str) -> None:
    """Broken TOML, wrong shapes and odd values get their line and what is allowed."""
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, text)


@given(st.text(max_size=60) | st.from_regex(r"\[(sam|policy|x)\]\n[a-z_]{1,9} ?= ?.{0,9}"))
def test_any_text_is_a_configuration_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """No file does anything else."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "dtns.toml").write_text(text, encoding="utf-8", errors="replace", newline="")
    try:
        load_config(folder / "dtns.toml")
    except ConfigError as fault:
        assert str(folder) in str(fault)  # noqa: PT017 (both outcomes are right)


def test_a_missing_or_unreadable_file_is_told(tmp_path: Path) -> None:
    """The message names what makes one."""
    with pytest.raises(ConfigError, match="dtns init"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path)
    (tmp_path / "latin").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="no TOML"):
        load_config(tmp_path / "latin")


def test_a_path_too_long_for_sockets_is_told(tmp_path: Path) -> None:
    """Path, length and limit are named, and the way out: a shorter one, or tcp."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    admin, network = faults(folder, "[network]\nendpoint = 'unix:n'\n")
    length = len(str(folder / "admin.sock"))
    assert f"{length} octets, at most 107" in admin
    assert "short absolute path" in admin
    assert network.startswith("2: network.endpoint: ")
    assert "tcp:127.0.0.1:PORT" in network
    text = "[sam]\nadmin_socket = '/tmp/a'\n[network]\nendpoint = 'tcp:127.0.0.1:0'\n"
    load(folder, text)


def test_relative_paths_belong_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the command was called from plays no part."""
    (tmp_path / "d").mkdir()
    load(tmp_path / "d", "")
    monkeypatch.chdir(tmp_path)
    assert load_config(Path("d/dtns.toml")).store == tmp_path / "d" / "dtns.sqlite"


def test_nothing_secret_is_effective(tmp_path: Path) -> None:
    """What is shown is every key's value, as JSON."""
    values: Any = load(tmp_path, "").effective()
    assert set(values) == set(SECTIONS)
    assert values["sam"]["master_key"] == str(tmp_path / "master.key")
    for name, kind in SECTIONS.items():
        assert set(values[name]) == set(attrs.fields_dict(kind))
