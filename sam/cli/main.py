"""The `dtns` command: its sub-commands, loaded when called, and the meaning of exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Final, NoReturn

import click

from dtns import __version__
from dtns.sam.cli.exits import Exit, exit_for

COMMANDS: Final = {
    "attack": "attack",
    "audit": "audit",
    "backup": "backup",
    "config": "configuration",
    "conformance": "conformance",
    "console": "console",
    "demo": "demo",
    "digits": "digits",
    "enrol": "enrol",
    "gateway": "gateway",
    "health": "health",
    "init": "deployment",
    "issue": "issue",
    "ledger": "ledger",
    "master": "master",
    "modem": "modem",
    "network": "network",
    "party": "party",
    "phone": "phone",
    "restore": "restore",
    "serve": "serve",
    "simulator": "simulator",
    "unpack": "unpack",
}
"""Each command and the module of this package that holds it under the same name."""


class LazyGroup(click.Group):
    """Imports a sub-command's module only when that sub-command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all sub-commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one sub-command, or None if there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dtns.sam.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DTNS"},
    epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 configuration, 4 store, "
    "5 carrier (temporary), 6 carrier (for good), 130 interrupted.",
)
@click.version_option(__version__, prog_name="dtns")
def dtns() -> None:
    """Issue pairwise keys over SMS, hand them on as a few digits, pay on them offline."""


def main() -> NoReturn:
    """Run the command line and exit with a code of the contract; never show a traceback."""
    try:
        code = dtns.main(prog_name="dtns", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(Exit.DONE)
    except click.ClickException as fault:
        fault.show()
        _leave(fault.format_message(), fault.exit_code)
    except Exception as fault:
        meaning = exit_for(fault)
        if meaning is None:
            raise
        click.echo(f"dtns: {fault}", err=True)
        _leave(str(fault), meaning)
    sys.exit(code if isinstance(code, int) else Exit.DONE)


def _leave(message: str, code: int) -> NoReturn:
    """Exit after a fault; where JSON was asked for, stdout gets its one object all the same."""
    if "--json" in sys.argv:
        click.echo(json.dumps({"status": "error", "message": message}))
    sys.exit(code)
