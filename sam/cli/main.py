"""The `dtns` command: its sub-commands, loaded when called, and the meaning of exit codes."""

from __future__ import annotations

import gc
import importlib
import json
import sys
from typing import Final, NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from dtns import __version__
from dtns.sam.build import is_compiled
from dtns.sam.cli.exits import Exit, exit_for

COLLECT_AFTER: Final = 100_000
"""Objects made and not let go of before Python looks for cycles: imports make many, all to stay."""


class Place(NamedTuple):
    """Where a command is: a module of this package has it under the command's name.

    summary is its line in the list of commands; one without is not listed.
    """

    module: str
    summary: str | None


COMMANDS: Final = {
    "attack": Place("attack", "Run attacks on DigiTally's protocol, repaired too, and ours."),
    "audit": Place("audit", "Check the log of what was issued, purge it; audit the codes."),
    "backup": Place("backup", "Copy the store to a new file, while Sam serves or not."),
    "config": Place("configuration", "Check, show and write configurations."),
    "conformance": Place("conformance", "Drive a handset through vectors and whole exchanges."),
    "console": Place("console", "Let operators into the console, and out again."),
    "demo": Place("demo", "Show the whole idea in one terminal, in under ten seconds."),
    "digits": Place("digits", "Write payloads as digits for people; read what they typed."),
    "enrol": Place("enrol", "Enrol parties and write their SIM files."),
    "gateway": Place("gateway", "Show, suspend, resume and drain gateways."),
    "health": Place("health", "Tell whether Sam runs and is of use, and what is wrong."),
    "init": Place("deployment", "Make a configuration, a master key and an empty store."),
    "issue": Place("issue", "List and show what was issued."),
    "ledger": Place("ledger", "Load purses, give payments back, check the phones' logs."),
    "master": Place("master", "Rotate the master key."),
    "modem": Place("modem", "Look GSM modems over."),
    "network": Place("network", "Run a loopback network that phones and Sam attach to."),
    "party": Place("party", "List, show, suspend, resume and rekey parties."),
    "phone": Place("phone", "Use a SIM, by one command or as an interactive phone."),
    "restore": Place("restore", "Put a backup in the store's place."),
    "serve": Place("serve", "Run Sam in the foreground until SIGTERM."),
    "simulator": Place("simulator", None),
    "unpack": Place("unpack", "Write the SIM files of a batch that `dtns enrol` made."),
}
"""Each command. Told here, and not by the modules, which the list of commands need not load."""


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
        module = importlib.import_module(f"dtns.sam.cli.{COMMANDS[cmd_name].module}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(_listed())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, and the options, that begin like this."""
        found = [(name, summary) for name, summary in _listed() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=summary) for name, summary in found), *options]


def _listed() -> list[tuple[str, str]]:
    return [(name, place.summary) for name, place in COMMANDS.items() if place.summary]


def _tell_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted and not ctx.resilient_parsing:
        build = "compiled" if is_compiled() else "pure Python"
        click.echo(f"dtns, version {__version__}, {build}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DTNS"},
    epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 configuration, 4 store, "
    "5 carrier (temporary), 6 carrier (for good), 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and the build and exit.",
)
def dtns() -> None:
    """Issue pairwise keys over SMS, hand them on as a few digits, pay on them offline."""


def main() -> NoReturn:
    """Run the command line and exit with a code of the contract; never show a traceback."""
    gc.set_threshold(COLLECT_AFTER)
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
