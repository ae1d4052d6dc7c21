"""`dtns init` and `dtns config`."""

from __future__ import annotations

import stat
from pathlib import Path

from deployment import deploy, dtns, told


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_init_makes_a_private_deployment(tmp_path: Path) -> None:
    """Three files; key and store for their owner alone, in a directory for its owner alone."""
    folder = tmp_path / "deep" / "d"
    facts = told(dtns("init", str(folder), "--json"))
    assert facts["status"] == "done"
    assert Path(facts["config"]) == folder / "dtns.toml"
    assert sorted(path.name for path in folder.iterdir()) == [
        "dtns.sqlite",
        "dtns.toml",
        "master.key",
    ]
    for name, mode in (("", 0o700), ("master.key", 0o600), ("dtns.sqlite", 0o600)):
        assert stat.S_IMODE((folder / name).stat().st_mode) == mode
    assert told(dtns("config", "check", "-c", facts["config"], "--json"))["master_keys"] == [1]


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    """A directory with anything in it is refused and left as it is; an empty one is taken."""
    deployment = deploy(tmp_path / "d")
    before = contents(tmp_path)
    again = dtns("init", str(deployment.folder))
    assert again.returncode == 3
    assert "overwrites nothing" in again.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    assert dtns("init", str(tmp_path / "mine")).returncode == 3
    assert dtns("init", str(tmp_path / "mine" / "letter")).returncode == 3
    (tmp_path / "mine" / "letter").unlink()
    assert contents(tmp_path) == before
    assert dtns("init", str(tmp_path / "mine")).returncode == 0


def test_init_refuses_a_path_too_long_for_sockets(tmp_path: Path) -> None:
    """It says path, length, limit and what to do, and makes nothing."""
    folder = tmp_path / ("x" * 100)
    done = dtns("init", str(folder))
    assert done.returncode == 3
    assert "octets, at most 107" in done.stderr
    assert "tcp:127.0.0.1:PORT" in done.stderr
    assert not folder.exists()


def test_two_deployments_have_different_keys(tmp_path: Path) -> None:
    """Keys are drawn, not constant."""
    one, other = deploy(tmp_path / "a"), deploy(tmp_path / "b")
    assert (one.folder / "master.key").read_text() != (other.folder / "master.key").read_text()


def test_config_shows_and_checks(tmp_path: Path) -> None:
    """Show has no key in it; check names every fault with exit code 3; example is in order."""
    deployment = deploy(tmp_path / "d")
    config = ("-c", str(deployment.config))
    shown = dtns("config", "show", *config, "--json")
    assert told(shown)["policy"]["asks_per_day"] == 50
    secret = (deployment.folder / "master.key").read_text().split()[-2]
    assert secret not in shown.stdout
    assert "[gateway.loopback]" in dtns("config", "show", *config).stdout
    assert dtns("config", "example").stdout == deployment.config.read_text()
    deployment.config.write_text("[sam]\nstores = 'x'\nservice_number = 7\n")
    checked = dtns("config", "check", *config)
    assert checked.returncode == 3
    assert checked.stdout == ""
    assert f"{deployment.config}:2: sam.stores: unknown key; did you mean store?" in checked.stderr
    assert f"{deployment.config}:3: sam.service_number = 7: must be text" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Every command that needs the key says so, with the remedy, exit code 3."""
    deployment = deploy(tmp_path / "d")
    (deployment.folder / "master.key").chmod(0o644)
    for command in (("config", "check"), ("serve",), ("party", "list")):
        done = dtns(*command, "-c", str(deployment.config))
        assert done.returncode == 3, command
        assert "chmod 600" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_missing_configuration_names_init(tmp_path: Path) -> None:
    """Without a deployment every command says what makes one."""
    done = dtns("party", "list", "-c", str(tmp_path / "dtns.toml"))
    assert done.returncode == 3
    assert "dtns init" in done.stderr
