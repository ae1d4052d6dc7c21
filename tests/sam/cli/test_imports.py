"""What the command line loads, and what it leaves alone until somebody wants it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from deployment import DTNS, Deployment, deploy, dtns

from dtns.sam.cli.main import COMMANDS
from dtns.sam.cli.main import dtns as command_line

LISTED = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Has Python write a line on stderr for each module that it loads."""
WEB = {"klein", "twisted.web", "werkzeug", "jinja2", "prometheus_client"}
TLS = {
    "OpenSSL.crypto",
    "service_identity",
    "cryptography.x509",
    "twisted.internet._sslverify",
}
MODEMS = {"gsmmodem", "serial", "dtns.gateway.modem.carrier", "dtns.gateway.modem.emulator"}
SMSCS = {"smpp34", "dtns.gateway.smpp"}
PHONES = {"dtns.sam.handset", "dtns.sam.simulator", "dtns.sam.conformance", "dtns.sam.analysis"}
TABLES = {"phonenumbers", "rich", "iso4217"}
UNWANTED = WEB | TLS | MODEMS | SMSCS | PHONES | TABLES | {"dtns.gateway.gsup", "twisted.trial"}
NETWORK = {"dtns.gateway.loopback.carrier", "dtns.gateway.loopback.server"}
USSD = {"dtns.gateway.ussd.sessions", "dtns.sam.service.ussdmenu"}
SERVER = {"sqlite3", "twisted", "dtns.sam.service.administration", "dtns.sam.store.store"}


def loaded(log: str) -> set[str]:
    """Return the modules of such a list, with the packages that they are in."""
    names = {line.rpartition("|")[2].strip() for line in log.splitlines() if "import time" in line}
    return names | {name[:at] for name in names for at, dot in enumerate(name) if dot == "."}


def loaded_by(*arguments: str) -> set[str]:
    """Return the modules that a command loads."""
    environment = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    environment |= LISTED
    done = subprocess.run(
        [*DTNS, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return loaded(done.stderr)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Make a deployment as `dtns init` does, with two parties."""
    made = deploy(tmp_path / "d")
    made.enrol("+254712345678", "+254787654321")
    return made


def test_sam_without_options(deployment: Deployment) -> None:
    """Sam as `dtns init` configures it loads nothing for what is switched off, nor for TLS."""
    deployment.environment |= LISTED
    with deployment.sam():
        found = loaded(deployment.log)
    assert {"twisted.internet.epollreactor"} | NETWORK | USSD <= found
    assert found.isdisjoint(UNWANTED), found & UNWANTED


def test_sam_without_loopback(tmp_path: Path) -> None:
    """Sam with neither the loopback network nor USSD loads nothing for them."""
    made = deploy(tmp_path / "d")
    made.config.write_text("[network]\nembedded = false\n\n[gateway.loopback]\nenabled = false\n")
    made.environment |= LISTED
    with made.sam():
        found = loaded(made.log)
    assert "dtns.sam.service.intake" in found
    assert found.isdisjoint(NETWORK | USSD), found & (NETWORK | USSD)


def test_a_running_sam_is_asked_cheaply(deployment: Deployment) -> None:
    """A command that a running Sam answers loads neither the store nor Twisted."""
    with deployment.sam():
        found = loaded_by("party", "list", "-c", str(deployment.config))
    assert "dtns.sam.service.adminwire" in found
    assert found.isdisjoint(SERVER | TLS | TABLES), found & (SERVER | TLS | TABLES)


def test_list_of_commands() -> None:
    """`dtns --help` lists each command without loading any."""
    found = loaded_by("--help")
    assert "click" in found
    assert not {f"dtns.sam.cli.{place.module}" for place in COMMANDS.values()} & found


def test_each_is_listed() -> None:
    """Every command is there under its name, and is listed on one line unless it is hidden."""
    shown = CliRunner().invoke(command_line, ["--help"], terminal_width=80).output.splitlines()
    for name, place in COMMANDS.items():
        command = command_line.get_command(None, name)  # type: ignore[arg-type] # for no context
        assert command is not None
        assert command.name == name
        assert command.hidden == (place.summary is None)
        line = next((line for line in shown if line.split()[:1] == [name]), None)
        assert (line is None) == command.hidden
        assert line is None or line.endswith(place.summary or "")


def test_completion() -> None:
    """A shell that completes a command's name is offered those that begin like it."""
    environment = {"_DTNS_COMPLETE": "bash_complete", "COMP_WORDS": "dtns co", "COMP_CWORD": "1"}
    program = "from dtns.sam.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert done.stdout.split() == ["plain,config", "plain,conformance", "plain,console"]


def test_tls_for_those_who_want_it(tmp_path: Path) -> None:
    """Sam with an SMSC behind TLS can connect to it by TLS."""
    made = deploy(tmp_path / "d")
    password = tmp_path / "d" / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    with made.config.open("a") as config:
        config.write(
            '\n[gateway.smpp.one]\nhost = "127.0.0.1"\nport = 9\ntls = true\n'
            f'system_id = "sam"\npassword_file = "{password}"\n'
        )
    pytest.importorskip("OpenSSL", reason="pip install 'dtns[smpp]'")
    assert dtns("config", "check", "-c", str(made.config)).returncode == 0
    made.environment |= LISTED
    with made.sam():
        assert loaded(made.log) >= TLS | {"dtns.gateway.smpp.carrier"}
