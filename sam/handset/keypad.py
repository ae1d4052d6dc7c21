"""A feature phone used by its keys: menus, boxes and sentences around the real handset."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve

from dtns.codecs.digits import PROFILES, Status
from dtns.codecs.entry import Entry
from dtns.gateway.errors import GatewayError
from dtns.sam.errors import SamError
from dtns.sam.handset import reports
from dtns.sam.handset.boxes import resumed
from dtns.sam.handset.entering import Entered
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.held import Held
from dtns.sam.handset.moneykeys import MoneyKeys
from dtns.sam.handset.reports import Report
from dtns.sam.handset.screens import END, KEYS, Boxes, Line, Menu, Move, Screen, Told, Tone, View
from dtns.sam.handset.sentences import sentence
from dtns.sam.handset.tickets import SEALED_TICKET, TICKET
from dtns.sam.protocol.numbers import Number, parse_number

_MOST_PARITY: Final = TICKET.max_parity

Send = Callable[[Asked], str]
"""Hands an ask to the network; returns why that failed, as `sentence("ask", ...)` knows it."""
Tell = Callable[[dict[str, Any]], None]
"""Takes one thing that happened on the phone, as a JSON object: digits shown, typed, taken in."""


class Keypad:
    """The phone's face. Each key does at once what it does, durably; the screen is there to read.

    contacts are the names that the person knows numbers by.
    """

    def __init__(self, phone: Held, contacts: Mapping[str, Number], send: Send, tell: Tell) -> None:
        self._phone = phone
        self._contacts = contacts
        self._send = send
        self._tell = tell
        self._money = MoneyKeys(phone, self._happened)
        self._stack: list[View] = [self._home()]
        self._waiting_for: int | None = None
        self._news = ""

    @property
    def screen(self) -> Screen:
        """What the display shows, people by their names."""
        shown = self._stack[-1].screen
        return evolve(shown, text=self._with_names(shown.text))

    @property
    def news(self) -> str:
        """What came since the last key and is not on the screen."""
        return self._with_names(self._news)

    def press(self, key: str) -> None:
        """Press one key of KEYS; ValueError if there is no such key."""
        if key not in KEYS:
            raise ValueError("no such key")
        self._news = ""
        try:
            self._go(Move.HOME if key == END else self._stack[-1].press(key))
        except (SamError, GatewayError) as fault:
            self._go(Told(Screen("Sorry", str(fault), Tone.BAD)))

    def take_in(self, counter: int | None, report: Report) -> None:
        """Tell of a message that came: an answer on the whole screen, unless it would interrupt."""
        self._happened("received", report)
        home = len(self._stack) == 1
        if counter is None or (not home and counter != self._waiting_for):
            self._news = report.text
            return
        self._go(Move.HOME)
        self._waiting_for = None
        self._go(Told(Screen("Message from Sam", report.text, _tone(report))))

    def _go(self, following: View | Move) -> None:
        if following is Move.HOME:
            self._stack = [self._home()]
        elif following is Move.BACK:
            self._stack = self._stack[:-1] or [self._home()]
        elif not isinstance(following, Move):
            self._stack.append(following)

    def _home(self) -> Menu:
        return Menu(
            "Menu",
            [
                ("Ask for a key", self._whom(self._ask)),
                ("Read out a ticket", self._whom(self._show_ticket)),
                ("Type a ticket", self._whom(self._type_ticket)),
                ("Challenge", self._whom(self._challenge)),
                ("Respond", self._whom(self._type_challenge)),
                ("Pay", self._whom(self._money.pay)),
                ("Be paid", self._whom(self._money.be_paid)),
                ("Purse", lambda: self._money.purse(self._whom)),
                ("More", self._more),
            ],
            keys=("Select", ""),
        )

    def _more(self) -> Menu:
        def show_long(holder: Number) -> View:
            return self._show_ticket(holder, sealed=True)

        def type_long(asker: Number) -> View:
            entry = Entry.begin(SEALED_TICKET)
            return Boxes("Long ticket", entry, lambda boxes: self._enter(asker, boxes))

        return Menu(
            "More",
            [
                ("Keys", self._keys),
                ("Read out a long ticket", self._whom(show_long)),
                ("Type a long ticket", self._whom(type_long)),
            ],
        )

    def _happened(self, event: str, report: Report, **facts: str) -> None:
        """Tell of one thing that happened: its report, the sentence with names, and *facts*."""
        text = "" if "digits" in report.facts else self._with_names(report.text)
        self._tell({"event": event, **report.facts, "text": text, **facts})

    def _whom(self, then: Callable[[Number], View | Move]) -> Callable[[], View]:
        """Return what lets the person choose whom a step is about."""

        def dialled(text: str) -> View | Move:
            return then(parse_number(f"+{text}"))

        def choose() -> View:
            own = self._phone.sim.number
            people = [
                (name, lambda number=number: then(number))
                for name, number in self._contacts.items()
                if number != own
            ]
            return Menu(
                "With whom?",
                [*people, ("Another", lambda: Line("Number", dialled, text="+ and country code"))],
            )

        return choose

    def _ask(self, holder: Number) -> View:
        with self._phone.handset() as handset:
            asked = handset.ask(holder, Wish(), time.time())
        if isinstance(asked, str):
            return Told(Screen("Not asked", sentence("ask", asked), Tone.BAD))
        self._waiting_for = asked.counter
        if reason := self._send(asked):
            return Told(Screen("Kept", sentence("ask", reason), Tone.BAD))
        return Told(Screen("Asked", f"Request {asked.counter} is on its way to Sam."))

    def _show_ticket(self, holder: Number, parity: int = 0, *, sealed: bool = False) -> View:
        with self._phone.handset() as handset:
            shown = handset.ticket(holder, sealed=sealed, parity=None if sealed else parity)
        report = reports.of_ticket(holder, shown)
        if report.refused:
            return _told("No ticket", report)
        more = (
            None
            if sealed or parity >= _MOST_PARITY
            else lambda: self._show_ticket(holder, parity + 1)
        )
        return self._shown("ticket", report, f"Read it to {self._name(holder)}.", more, "+1 group")

    def _shown(
        self,
        what: str,
        report: Report,
        text: str,
        then: Callable[[], View | Move] | None = None,
        key: str = "Done",
    ) -> View:
        """Show digits to read out."""
        self._happened("shown", report, what=what)
        groups = tuple(report.facts["digits"].split())
        keys = (key, "Done") if then else ("Done", "")
        return Told(Screen(what.capitalize(), text, code=groups, keys=keys), then)

    def _type_ticket(self, asker: Number) -> View:
        with self._phone.handset() as handset:
            draft = handset.draft(asker)
        entry = resumed(TICKET, draft) if draft else Entry.begin(TICKET)
        text = f"From {self._name(asker)}."
        return Boxes("Ticket", entry, lambda boxes: self._enter(asker, boxes), text)

    def _enter(self, asker: Number, boxes: Boxes) -> View | Move:
        with self._phone.handset() as handset:
            entered = handset.enter(asker, boxes.entry)
        report = reports.of_entry(asker, entered)
        digits = " ".join(boxes.entry.boxes)
        self._happened("typed", report, what="ticket", digits=digits)
        following = _following(boxes.entry, entered)
        if following is not None:
            return boxes.ask_for(following, entered.reading.message())
        if report.refused:
            return _told("Not taken", report)
        groups = tuple(f"{group:04d}" for group in entered.reading.groups)
        repaired = entered.reading.changed
        screen = Screen("Key held", report.text, Tone.GOOD, code=groups, repaired=repaired)
        return Told(screen)

    def _challenge(self, asker: Number) -> View:
        with self._phone.handset() as handset:
            report = reports.of_code(asker, handset.challenge(asker))
        if report.refused:
            return _told("No challenge", report)

        def answer() -> View:
            entry = Entry.begin(PROFILES["confirm"])
            return Boxes("Their answer", entry, lambda boxes: self._check(asker, boxes))

        return self._shown("challenge", report, "Read it out, then OK.", answer, "Answer")

    def _check(self, asker: Number, boxes: Boxes) -> View | Move:
        digits = " ".join(boxes.entry.boxes)
        with self._phone.handset() as handset:
            report = reports.of_verdict(asker, handset.check(asker, digits))
        self._happened("typed", report, what="response", digits=digits)
        return _told("Proved" if not report.refused else "Not proved", report)

    def _type_challenge(self, holder: Number) -> View:
        entry = Entry.begin(PROFILES["request"])
        return Boxes("Their challenge", entry, lambda boxes: self._respond(holder, boxes))

    def _respond(self, holder: Number, boxes: Boxes) -> View | Move:
        digits = " ".join(boxes.entry.boxes)
        with self._phone.handset() as handset:
            report = reports.of_code(holder, handset.respond(holder, digits))
        self._happened("typed", report, what="challenge", digits=digits)
        if report.refused:
            return _told("Not answered", report)
        return self._shown("response", report, f"Read it back to {self._name(holder)}.")

    def _keys(self) -> View:
        with self._phone.handset() as handset:
            keys = reports.of_keys(handset.keys()).facts["keys"]
        lines = [
            f"{key['peer']}: key {key['n']}, {key['role']}"
            f"{', confirmed' if key['confirmed'] else ''}, check {key['kcv']}"
            for key in keys
        ]
        return Told(Screen("Keys", "\n".join(lines) or "No keys yet.", keys=("OK", "")))

    def _name(self, number: Number) -> str:
        known = (name for name, other in self._contacts.items() if other == number)
        return next(known, f"+{number}")

    def _with_names(self, text: str) -> str:
        for name, number in self._contacts.items():
            text = text.replace(f"+{number}", name)
        return text


def _told(title: str, report: Report) -> Told:
    return Told(Screen(title, report.text, _tone(report)))


def _tone(report: Report) -> Tone:
    return Tone.BAD if report.refused or report.unsent else Tone.GOOD


def _following(entry: Entry, entered: Entered) -> Entry | None:
    """Return what is to be typed next: one more group, those in doubt, or nothing."""
    if entered.status is Status.MORE:
        return entry.with_more()
    if entered.status is Status.SAY_AGAIN:
        return entry.asked_again(entered.reading.doubtful)
    return None
