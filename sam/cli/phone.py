"""`dtns phone`: a handset in the terminal, whole or one step at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import click
from attrs import evolve

from dtns.sam.cli import purse
from dtns.sam.cli.handset import phone, step
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.handset import steps
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.limits import MAX_LIMIT_CLASS
from dtns.sam.protocol.numbers import Number, parse_number
from dtns.sam.protocol.session import Direction

__all__ = ["phone", "purse"]

MAX_WAIT_SECONDS: Final = 7 * 24 * 3600


_WAIT = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0, MAX_WAIT_SECONDS),
    default=0.0,
    show_default=True,
    help="Seconds to wait for Sam's answer.",
)


@step(
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


@step("answers", _WAIT)
def answers(handset: Phone, *, wait_seconds: float) -> Report:
    """Take in what Sam has sent; repeat asks that have no answer."""
    return steps.answers(handset, wait_seconds)


@step(
    "ticket",
    click.argument("number", type=NUMBER),
    click.option("--sealed", is_flag=True, help="The long ticket that carries the key itself."),
    click.option("--parity", type=click.IntRange(0, 3), help="Groups to add for repair."),
)
def ticket(handset: Phone, *, number: Number, sealed: bool, parity: int | None) -> Report:
    """Show the ticket for NUMBER, to be read out."""
    return steps.ticket(handset, number, sealed=sealed, parity=parity)


@step(
    "enter",
    click.argument("number", type=NUMBER),
    click.argument("digits", nargs=-1),
    click.option("--more", is_flag=True, help="DIGITS go on from those typed before."),
)
def enter(handset: Phone, *, number: Number, digits: tuple[str, ...], more: bool) -> Report:
    """Type the ticket that NUMBER reads out: DIGITS with or without spaces."""
    return steps.enter(handset, number, " ".join(digits), more=more)


@step(
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


@step(
    "nonce",
    click.argument("number", type=NUMBER),
    click.option("--forget", is_flag=True, help="Take the nonce back instead."),
)
def nonce(handset: Phone, *, number: Number, forget: bool) -> Report:
    """Give NUMBER a nonce to ask with; then only a key made after it is taken."""
    return steps.nonce(handset, number, forget=forget)


@step("challenge", click.argument("number", type=NUMBER))
def challenge(handset: Phone, *, number: Number) -> Report:
    """Challenge NUMBER, whose ticket is held: 8 digits to read out."""
    return steps.challenge(handset, number)


@step("respond", click.argument("number", type=NUMBER), click.argument("code", nargs=-1))
def respond(handset: Phone, *, number: Number, code: tuple[str, ...]) -> Report:
    """Answer the challenge CODE that NUMBER read out: 8 digits to read back."""
    return steps.respond(handset, number, " ".join(code))


@step("check", click.argument("number", type=NUMBER), click.argument("code", nargs=-1))
def check(handset: Phone, *, number: Number, code: tuple[str, ...]) -> Report:
    """Check the response CODE that NUMBER read out."""
    return steps.check(handset, number, " ".join(code))


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


@step("dial", click.argument("code"), click.argument("typed", nargs=-1))
def dial(handset: Phone, *, code: str, typed: tuple[str, ...]) -> Report:
    """Dial CODE, as in '*384#', and type TYPED, one screen after the other.

    Without TYPED, at a terminal, screens come one by one and wait for what you type.
    """
    from dtns.sam.handset.dialling import dial as hold  # noqa: PLC0415 (needed here alone)

    if typed or not sys.stdin.isatty():
        return hold(handset, code, typed)
    report = hold(handset, code, _typing(), lambda text: click.echo(f"{text}\n"))
    return report if report.refused or report.unsent else evolve(report, text="")


def _typing() -> Iterator[str]:
    while True:
        yield click.prompt("", prompt_suffix="> ", type=str)


@step("keys")
def keys(handset: Phone) -> Report:
    """List the keys held and asked for, never the keys themselves."""
    return steps.keys(handset)
