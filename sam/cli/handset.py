"""The `dtns phone` group: a SIM file, and the steps that can be taken with it."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from dtns.gateway.errors import GatewayError
from dtns.sam.cli.exits import Exit, exit_for
from dtns.sam.errors import SamError
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report


class PhoneGroup(click.Group):
    """Takes its options before the SIM file or between it and the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the options that follow the SIM file in front of it, then parse as any group."""
        end = 1
        while args and args[end : end + 1] and args[end].startswith("-"):
            end += 2 if args[end] == "--network" else 1
        return super().parse_args(ctx, [*args[1:end], *args[:1], *args[end:]])


@click.group(cls=PhoneGroup, invoke_without_command=True)
@click.argument("sim_file", type=click.Path(path_type=Path))
@click.option("--network", metavar="ENDPOINT", help="The network to attach to. [SIM file's own]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def phone(ctx: click.Context, sim_file: Path, network: str | None, *, as_json: bool) -> None:
    """Use the SIM in SIM_FILE; without a command, as an interactive phone."""
    ctx.obj = (Phone(sim_file, network), as_json)
    if ctx.invoked_subcommand is None:
        if as_json:
            raise click.UsageError("--json goes with a command, such as `keys`")
        from dtns.sam.handset.terminal import use  # noqa: PLC0415 (the keypad alone needs it)

        use(ctx.obj[0])


def step(name: str, *decorators: Callable[[Any], Any]) -> Callable[[Any], click.Command]:
    """Make a command of a function from a Phone and arguments to a Report."""

    def decorate(function: Callable[..., Report]) -> click.Command:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
        @click.pass_obj
        def run(obj: tuple[Phone, bool], /, *, as_json: bool, **arguments: Any) -> None:
            finish(function(obj[0], **arguments), as_json=as_json or obj[1])

        for decorator in reversed(decorators):
            run = decorator(run)
        return phone.command(name, help=function.__doc__)(run)

    return decorate


def finish(report: Report, *, as_json: bool) -> None:
    """Print a report and leave with its exit code."""
    click.echo(json.dumps(report.facts) if as_json else report.text)
    if report.unsent:
        raise click.exceptions.Exit(Exit.CARRIER_TEMPORARY)
    if report.refused:
        raise click.exceptions.Exit(Exit.REFUSED)


@phone.command()
@click.pass_obj
def run(obj: tuple[Phone, bool]) -> None:
    """Take steps from standard input, one a line, as in `enter +254712345678 4761 0825 …`.

    For each it prints a line of JSON: the step's exit code as `exit`, what it came to as `result`.
    """
    for line in sys.stdin:
        code, facts = _taken(obj[0], line)
        click.echo(json.dumps({"exit": code, "result": facts}))


def _taken(handset: Phone, line: str) -> tuple[int, dict[str, Any]]:
    """Take the step that a line tells; return its exit code and its facts."""
    told = io.StringIO()
    try:
        name, *arguments = shlex.split(line)
        command = phone.commands[name]
        with redirect_stdout(told):
            code = command.main(
                args=arguments, prog_name=name, standalone_mode=False, obj=(handset, True)
            )
    except (KeyError, ValueError):
        return Exit.USAGE, {"status": "error", "message": "no such step: `--help` lists them"}
    except click.ClickException as fault:
        return Exit.USAGE, {"status": "error", "message": fault.format_message()}
    except (SamError, GatewayError) as fault:
        return exit_for(fault) or Exit.REFUSED, {"status": "error", "message": str(fault)}
    return code or Exit.DONE, json.loads(told.getvalue())
