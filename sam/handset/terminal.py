"""The interactive phone: a menu as a feature phone has it, for any terminal of 20 columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

from dtns.gateway.errors import GatewayError
from dtns.sam.errors import SamError
from dtns.sam.handset import steps
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.protocol.numbers import Number, parse_number

ANSWER_SECONDS: Final = 5.0
_OFF: Final = "0"


def use(phone: Phone) -> None:
    """Show the menu and do what is chosen, until the phone is switched off."""
    click.echo(f"+{phone.sim.number}")
    while True:
        _show_signal(phone)
        click.echo("\n".join(f"{key} {title}" for key, (title, _) in _MENU.items()))
        choice = click.prompt("", prompt_suffix="> ", default=_OFF, show_default=False)
        if choice == _OFF:
            return
        _do(phone, choice.strip())


def _do(phone: Phone, choice: str) -> None:
    if choice not in _MENU:
        click.echo(f"Keys 0 to {len(_MENU) - 1}.")
        return
    try:
        report = _MENU[choice][1](phone)
    except (SamError, GatewayError) as fault:
        click.secho(str(fault), fg="red")
        return
    click.secho(report.text, fg="yellow" if report.refused else "green")


def _show_signal(phone: Phone) -> None:
    """Take in what has come, if there is signal, and say whether there is."""
    report = steps.answers(phone, 0)
    if report.unsent:
        click.echo("[no signal]")
        return
    click.echo("[signal]")
    if report.facts["answers"]:
        click.secho(report.text, fg="green")


def _number() -> Number:
    while True:
        try:
            return parse_number(click.prompt("Number", type=str))
        except SamError as fault:
            click.echo(fault)


def _digits() -> str:
    text: str = click.prompt("Digits", type=str)
    return text


def _ask(phone: Phone) -> Report:
    return steps.ask(phone, _number(), Wish(), ANSWER_SECONDS)


def _enter(phone: Phone) -> Report:
    return steps.enter(phone, _number(), _digits())


def _respond(phone: Phone) -> Report:
    return steps.respond(phone, _number(), _digits())


def _check(phone: Phone) -> Report:
    return steps.check(phone, _number(), _digits())


_MENU: Final[dict[str, tuple[str, Callable[[Phone], Report]]]] = {
    "1": ("Ask for a key", _ask),
    "2": ("Take in answers", lambda phone: steps.answers(phone, ANSWER_SECONDS)),
    "3": ("Show a ticket", lambda phone: steps.ticket(phone, _number())),
    "4": ("Type a ticket", _enter),
    "5": ("Challenge", lambda phone: steps.challenge(phone, _number())),
    "6": ("Respond", _respond),
    "7": ("Check", _check),
    "8": ("Keys", steps.keys),
    _OFF: ("Off", steps.keys),
}
