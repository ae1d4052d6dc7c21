"""`dtns phone`: a handset in the terminal, whole or one step at a time."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import click
from attrs import evolve

from dtns.gateway.errors import GatewayError
from dtns.sam.cli.exits import Exit, exit_for
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.errors import SamError
from dtns.sam.handset import steps
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.limits import MAX_LIMIT_CLASS
from dtns.sam.protocol.numbers import Number, parse_number
from dtns.sam.protocol.session import Direction

MAX_WAIT_SECONDS: Final = 7 * 24 * 3600


_WAIT = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0, MAX_WAIT_SECONDS),
    default=0.0,
    show_default=True,
    help="Seconds to wait for Sam's answer.",
)


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


def _step(name: str, *decorators: Callable[[Any], Any]) -> Callable[[Any], click.Command]:
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


@_step(
    "ask",
    click.argument("number", type=NUMBER),
    _WAIT,
    click.option("--limit", type=click.IntRange(0, MAX_LIMIT_CLASS), help="Limit class wanted."),
    click.option("--life", type=click.IntRange(0, 255), default=0, help="Weeks; 0: Sam's choice."),
    click.option("--paid", is_flag=True, help="The other pays on this key, and you are paid."),
    click.option("--random-key", is_flag=True, help="A random key, by sealed ticket alone."),
    click.option("--nonce", help="The 8 digits that the other gave you for this ask."),
    click.option("--typed", is_flag=True, help="Show 12 digits to type, and send no SMS."),
    click.option("--new", "anew", is_flag=True, help="Ask anew, even while the same ask waits."),
    click.option("--cancel", is_flag=True, help="Give up the asks for NUMBER that wait."),
)
def ask(
    handset: Phone,
    *,
    number: Number,
    wait_seconds: float,
    limit: int | None,
    life: int,
    paid: bool,
    random_key: bool,
    nonce: str | None,
    typed: bool,
    anew: bool,
    cancel: bool,
) -> Report:
    """Ask Sam for a key with NUMBER. The same ask again repeats the one that waits."""
    if cancel:
        return steps.cancel(handset, number)
    if typed:
        if limit is not None or life or paid or random_key or nonce is not None or wait_seconds:
            raise click.UsageError("--typed leaves all wishes to Sam: only --new goes with it")
        return steps.ask_typed(handset, number, anew=anew)
    value = None if nonce is None else steps.read_nonce(nonce)
    if nonce is not None and value is None:
        raise click.BadParameter("a nonce is 8 digits, as in 4761 0825", param_hint="--nonce")
    wish = Wish(
        direction=Direction.HOLDER_PAYS if paid else Direction.ASKER_PAYS,
        form=Form.RANDOM if random_key else Form.BOTH,
        life=life,
        nonce=value,
    )
    wish = wish if limit is None else evolve(wish, limit=limit)
    return steps.ask(handset, number, wish, wait_seconds, anew=anew)


@_step("answers", _WAIT)
def answers(handset: Phone, *, wait_seconds: float) -> Report:
    """Take in what Sam has sent; repeat asks that have no answer."""
    return steps.answers(handset, wait_seconds)


@_step(
    "ticket",
    click.argument("number", type=NUMBER),
    click.option("--sealed", is_flag=True, help="The long ticket that carries the key itself."),
    click.option("--parity", type=click.IntRange(0, 3), help="Groups to add for repair."),
)
def ticket(handset: Phone, *, number: Number, sealed: bool, parity: int | None) -> Report:
    """Show the ticket for NUMBER, to be read out."""
    return steps.ticket(handset, number, sealed=sealed, parity=parity)


@_step(
    "enter",
    click.argument("number", type=NUMBER),
    click.argument("digits", nargs=-1),
    click.option("--more", is_flag=True, help="DIGITS go on from those typed before."),
)
def enter(handset: Phone, *, number: Number, digits: tuple[str, ...], more: bool) -> Report:
    """Type the ticket that NUMBER reads out: DIGITS with or without spaces."""
    return steps.enter(handset, number, " ".join(digits), more=more)


@_step(
    "enter-answer",
    click.argument("digits", nargs=-1),
    click.option("--more", is_flag=True, help="DIGITS go on from those typed before."),
)
def enter_answer(handset: Phone, *, digits: tuple[str, ...], more: bool) -> Report:
    """Type an answer of Sam's: DIGITS with or without spaces. Without any, box by box."""
    if not digits and sys.stdin.isatty():
        from dtns.sam.handset.terminal import type_answer  # noqa: PLC0415 (the keypad alone needs it)

        return type_answer(handset)
    return steps.enter_answer(handset, " ".join(digits), more=more)


@_step(
    "nonce",
    click.argument("number", type=NUMBER),
    click.option("--forget", is_flag=True, help="Take the nonce back instead."),
)
def nonce(handset: Phone, *, number: Number, forget: bool) -> Report:
    """Give NUMBER a nonce to ask with; then only a key made after it is taken."""
    return steps.nonce(handset, number, forget=forget)


@_step("challenge", click.argument("number", type=NUMBER))
def challenge(handset: Phone, *, number: Number) -> Report:
    """Challenge NUMBER, whose ticket is held: 8 digits to read out."""
    return steps.challenge(handset, number)


@_step("respond", click.argument("number", type=NUMBER), click.argument("code", nargs=-1))
def respond(handset: Phone, *, number: Number, code: tuple[str, ...]) -> Report:
    """Answer the challenge CODE that NUMBER read out: 8 digits to read back."""
    return steps.respond(handset, number, " ".join(code))


@_step("check", click.argument("number", type=NUMBER), click.argument("code", nargs=-1))
def check(handset: Phone, *, number: Number, code: tuple[str, ...]) -> Report:
    """Check the response CODE that NUMBER read out."""
    return steps.check(handset, number, " ".join(code))


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
        step = phone.commands[name]
        with redirect_stdout(told):
            code = step.main(
                args=arguments, prog_name=name, standalone_mode=False, obj=(handset, True)
            )
    except (KeyError, ValueError):
        return Exit.USAGE, {"status": "error", "message": "no such step: `--help` lists them"}
    except click.ClickException as fault:
        return Exit.USAGE, {"status": "error", "message": fault.format_message()}
    except (SamError, GatewayError) as fault:
        return exit_for(fault) or Exit.REFUSED, {"status": "error", "message": str(fault)}
    return code or Exit.DONE, json.loads(told.getvalue())


def _contacts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Number]:
    try:
        pairs = [value.partition("=") for value in values]
        return {name: parse_number(number) for name, _, number in pairs}
    except ValueError as fault:
        raise click.BadParameter(f"write NAME=NUMBER: {fault}") from None


@phone.command(hidden=True)
@click.option("--contact", "contacts", multiple=True, callback=_contacts, help="NAME=NUMBER.")
@click.pass_obj
def keypad(obj: tuple[Phone, bool], *, contacts: dict[str, Number]) -> None:
    """Be a phone that somebody holds: keys on standard input, screens on standard output."""
    from dtns.sam.handset.attended import AttendedPhone  # noqa: PLC0415 (this command alone)

    def write(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    AttendedPhone(obj[0], contacts, sys.stdin.fileno(), write).serve()


@_step("keys")
def keys(handset: Phone) -> Report:
    """List the keys held and asked for, never the keys themselves."""
    return steps.keys(handset)
