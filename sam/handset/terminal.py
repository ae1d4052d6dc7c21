"""The interactive phone: a menu as a feature phone has it, for any terminal of 20 columns."""

from __future__ import annotations

import os
import shutil
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import click
from attrs import evolve

from dtns.codecs.digits import Status
from dtns.codecs.entry import Entry
from dtns.gateway.errors import GatewayError
from dtns.sam.errors import SamError
from dtns.sam.handset import paysteps, reports, steps
from dtns.sam.handset.boxes import fill, highlighted, resumed
from dtns.sam.handset.entering import Entered
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.handset.tickets import SEALED_TICKET, TICKET
from dtns.sam.handset.typed import ANSWER, EnteredAnswer
from dtns.sam.protocol.numbers import Number, parse_number

ANSWER_SECONDS: Final = 5.0
_OFF: Final = "0"
_KEYS_AT_ONCE: Final = 64
_KEPT: Final = Report({}, "Kept: type on later.")
_Taken = TypeVar("_Taken", Entered, EnteredAnswer)


def use(phone: Phone) -> None:
    """Show the menu and do what is chosen, until the phone is switched off."""
    click.echo(f"+{phone.sim.number}")
    while True:
        _show_signal(phone)
        click.echo("\n".join(f"{key} {title}" for key, (title, _) in _MENU.items()))
        click.echo(f"{_OFF} Off")
        choice = click.prompt("", prompt_suffix="> ", default=_OFF, show_default=False).strip()
        if choice == _OFF:
            return
        _do(phone, choice)


def _do(phone: Phone, choice: str) -> None:
    if choice not in _MENU:
        click.echo(f"Keys {_OFF} to {len(_MENU)}.")
        return
    try:
        report = _MENU[choice][1](phone)
    except (SamError, GatewayError) as fault:
        _say(str(fault), "red")
        return
    _say(report.text, "yellow" if report.refused else "green")


def _say(text: str, colour: str | None = None) -> None:
    """Write sentences word by word into the width that there is."""
    width = shutil.get_terminal_size().columns
    for line in text.splitlines():
        click.secho(click.wrap_text(line, width), fg=colour)


def _show_signal(phone: Phone) -> None:
    """Take in what has come, if there is signal, and say whether there is."""
    report = steps.answers(phone, 0)
    click.echo("[no signal]" if report.unsent else "[signal]")
    if not report.unsent and report.facts["answers"]:
        _say(report.text, "green")


def _number() -> Number:
    while True:
        try:
            return parse_number(click.prompt("Number", type=str))
        except SamError as fault:
            _say(str(fault))


def _digits() -> str:
    text: str = click.prompt("Digits", type=str)
    return text


def _enter(phone: Phone) -> Report:
    """Type a ticket; go on with what was typed before, box by box, until it is settled."""
    asker = _number()
    with phone.handset() as handset:
        draft = handset.draft(asker)
    if not sys.stdin.isatty():
        return steps.enter(phone, asker, _digits())
    entry = resumed(TICKET, draft) if draft else _begun()

    def take(filled: Entry) -> Entered:
        with phone.handset() as handset:
            return handset.enter(asker, filled)

    entered = _typed(entry, take, lambda typed: _keep(phone, asker, typed))
    return _KEPT if entered is None else _told(reports.of_entry(asker, entered), entered)


def type_answer(phone: Phone) -> Report:
    """Type an answer box by box; go on with what was typed before."""
    with phone.handset() as handset:
        entry = resumed(ANSWER, handset.answer_draft)

    def take(filled: Entry) -> EnteredAnswer:
        with phone.handset() as handset:
            return handset.enter_answer(filled)

    def keep(typed: Entry) -> None:
        with phone.handset() as handset:
            handset.keep_answer_draft(typed.saved)

    entered = _typed(entry, take, keep)
    return _KEPT if entered is None else _told(reports.of_answer(entered), entered)


def _enter_answer(phone: Phone) -> Report:
    return type_answer(phone) if sys.stdin.isatty() else steps.enter_answer(phone, _digits())


def _typed(
    entry: Entry, take: Callable[[Entry], _Taken], keep: Callable[[Entry], None]
) -> _Taken | None:
    """Let a person type until the code is settled, and say what is wanted; None if they leave."""
    while True:
        with _keys() as read_keys:
            filled = fill(entry, read_keys, lambda text: click.echo(text, nl=False), keep)
        if filled is None:
            return None
        entered = take(filled)
        following = _following(filled, entered)
        if following is None:
            return entered
        _say(entered.reading.message(), "yellow")
        entry = following


@contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """Lend a function that reads keys as they are pressed, without echo; none gets lost."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield lambda: os.read(terminal, _KEYS_AT_ONCE).decode(errors="ignore")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _begun() -> Entry:
    long = click.confirm("The long ticket?", default=False)
    return Entry.begin(SEALED_TICKET if long else TICKET)


def _keep(phone: Phone, asker: Number, entry: Entry) -> None:
    with phone.handset() as handset:
        handset.keep_draft(asker, entry.saved)


def _following(entry: Entry, entered: Entered | EnteredAnswer) -> Entry | None:
    """Return what is to be typed next: one more group, those in doubt, or nothing."""
    if entered.status is Status.MORE:
        return entry.with_more()
    if entered.status is Status.SAY_AGAIN:
        return entry.asked_again(entered.reading.doubtful)
    return None


def _told(report: Report, entered: Entered | EnteredAnswer) -> Report:
    if entered.status is Status.REPAIRED:
        click.echo("\n".join(highlighted(entered.reading.groups, entered.reading.changed)))
    return report


def _sum() -> str:
    text: str = click.prompt("Amount", type=str)
    return text


def _optional(title: str) -> str:
    text: str = click.prompt(title, default="", show_default=False, type=str)
    return text


def _pay(phone: Phone) -> Report:
    """Pay a number, against the request code that it read out if there is one."""
    wanted = paysteps.order(phone, _number(), _sum(), None, _optional("Request code"))
    return paysteps.pay(phone, wanted, _pin, click.confirm)


def _pin(title: str) -> str:
    pin: str = click.prompt(title, hide_input=True, confirmation_prompt=title.startswith("New"))
    return pin


def _be_paid(phone: Phone) -> Report:
    """Ask a number for a sum, read out the request code if there is one, and take its code."""
    wanted = paysteps.order(phone, _number(), _sum(), None)
    asked = paysteps.charge(phone, wanted)
    if asked.refused:
        return asked
    _say(asked.text)
    code = _optional("Payment code")
    return paysteps.accept(phone, evolve(wanted, code=code)) if code else asked


def _purse(phone: Phone) -> Report:
    """Show the balance and the latest of the log."""
    _say(paysteps.balance(phone).text)
    return paysteps.log(phone)


_MENU: Final[dict[str, tuple[str, Callable[[Phone], Report]]]] = {
    "1": ("Ask for a key", lambda phone: steps.ask(phone, _number(), Wish(), ANSWER_SECONDS)),
    "2": ("Take in answers", lambda phone: steps.answers(phone, ANSWER_SECONDS)),
    "3": ("Show a ticket", lambda phone: steps.ticket(phone, _number())),
    "4": ("Type a ticket", _enter),
    "5": ("Challenge", lambda phone: steps.challenge(phone, _number())),
    "6": ("Respond", lambda phone: steps.respond(phone, _number(), _digits())),
    "7": ("Check", lambda phone: steps.check(phone, _number(), _digits())),
    "8": ("Keys", steps.keys),
    "9": ("Type an answer", _enter_answer),
    "10": ("Pay", _pay),
    "11": ("Be paid", _be_paid),
    "12": ("Purse", _purse),
}
