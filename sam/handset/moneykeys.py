"""Money by a feature phone's keys: pay, be paid, and look into the purse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from attrs import evolve

from dtns.codecs.digits import PROFILES, Status, decode, encode, show
from dtns.codecs.entry import Entry
from dtns.sam.handset import payreports as reports
from dtns.sam.handset.held import Happened, Held
from dtns.sam.handset.money import parse_amount, show_amount
from dtns.sam.handset.orders import Order, Paid
from dtns.sam.handset.reports import Report
from dtns.sam.handset.screens import Boxes, Line, Menu, Move, Screen, Told, Tone, View
from dtns.sam.handset.tickets import TICKET
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Mode

_REQUEST: Final = PROFILES["request"]
CHEQUE: Final = PROFILES["cheque"]
_WANTED: Final = {
    Mode.CHALLENGE: (PROFILES["response"], "12 digits"),
    Mode.SMALL: (PROFILES["confirm"], "8 digits"),
}
_UNASKED: Final = (TICKET, "20 digits, or 16 and OK")
_NAMES: Final = {
    Mode.EXPRESS: "Express code",
    Mode.CHEQUE: "Cheque",
    Mode.CHALLENGE: "Payment answer",
    Mode.SMALL: "Small answer",
}
"""What the payer's codes are called on the screen."""
_REPAIRABLE: Final = {_NAMES[Mode.EXPRESS]: TICKET, _NAMES[Mode.CHEQUE]: CHEQUE}
_RECENT: Final = 4


class MoneyKeys:
    """The screens of one phone that have to do with money; *happened* is told of every step."""

    def __init__(self, phone: Held, happened: Happened) -> None:
        self._phone = phone
        self._happened = happened

    def pay(self, payee: Number) -> View:
        """Pay somebody: the sum, perhaps a request code, the PIN."""

        def with_order(order: Order) -> View:
            def type_request() -> View:
                return self._ask_request(order)

            choices = [("Pay", lambda: self._ask_pin(order)), ("I have a request", type_request)]
            return Menu(show_amount(order.payment), choices)

        return self._ask_sum(payee, with_order)

    def be_paid(self, payer: Number) -> View:
        """Ask somebody for money, as the phone would, or with a charge of one kind."""

        def with_order(order: Order) -> View:
            ways = (
                ("Phone chooses", None),
                ("Take a code", Mode.EXPRESS),
                ("Challenge", Mode.CHALLENGE),
                ("Small sum", Mode.SMALL),
            )
            choices = [
                (title, lambda mode=mode: self._charge(evolve(order, mode=mode)))
                for title, mode in ways
            ]
            return Menu(show_amount(order.payment), choices)

        return self._ask_sum(payer, with_order)

    def purse(self, whose: Callable[[Callable[[Number], View]], Callable[[], View]]) -> View:
        """Show what is in the purse; *whose* lets the person choose whom a receipt is of."""
        return Menu(
            "Purse",
            [("Balance", self._balance), ("Log", self._log), ("Receipt", whose(self._receipt))],
        )

    def _ask_sum(self, other: Number, then: Callable[[Order], View]) -> View:
        currency = self._phone.sim.terms.currency

        def typed(text: str) -> View:
            payment = parse_amount(text, currency)
            return then(Order(other, payment, at=time.time()))

        return Line("Amount", typed, text=f"{currency}; * is the point", point=True)

    def _ask_request(self, order: Order) -> View:
        def typed(boxes: Boxes) -> View:
            return self._ask_pin(evolve(order, code=" ".join(boxes.entry.boxes)))

        return Boxes("Request code", Entry.begin(_REQUEST), typed, "8 digits")

    def _ask_pin(self, order: Order) -> View:
        with self._phone.handset() as handset:
            first = handset.purse.pin.verifier is None
        text = "None is set yet: 4 to 8 digits" if first else show_amount(order.payment)
        title = "New PIN" if first else "PIN"
        return Line(title, lambda pin: self._paid(order, pin), length=8, covered=True, text=text)

    def _paid(self, order: Order, pin: str) -> View:
        """Pay, with the first PIN ever typed as the one that is set."""
        sim = self._phone.sim
        with self._phone.handset() as handset:
            if handset.purse.pin.verifier is None and (reason := handset.set_pin("", pin)):
                return _told("Not paid", reports.of_refusal(order.other, reason))
            outcome = handset.pay(order, pin)
            report = reports.of_paid(sim, order, outcome, handset.purse.balance)
        if order.code:
            self._happened("typed", report, what="request", digits=order.code)
        if not isinstance(outcome, Paid):
            if outcome.reason == "charge-needed":
                return self._ask_request(order)
            return _told("Not paid", report)
        if outcome.again and not order.code and not order.second:
            return self._second(order, outcome, report, pin)
        return self._code(order, report)

    def _second(self, order: Order, outcome: Paid, report: Report, pin: str) -> View:
        question = reports.second_question(outcome.transaction, self._phone.sim.terms.currency)
        choices = [
            ("The same code", lambda: self._code(order, report)),
            ("A second payment", lambda: self._paid(evolve(order, second=True), pin)),
        ]
        return Menu("Paid before", choices, text=question)

    def _code(self, order: Order, report: Report, parity: int = 0) -> View:
        """Show a payment's code; where it can be repaired, one more group on OK."""
        name, digits = _name(report), report.facts["digits"]
        profile = _REPAIRABLE.get(name)
        if parity and profile:
            payload = decode(profile, digits, check=lambda _: True).payload
            assert payload is not None
            digits = show(encode(profile, payload, parity=parity))
        self._happened("shown", report, what=name.lower(), digits=digits)
        more = profile is not None and parity < profile.max_parity
        text = f"{show_amount(order.payment)} to +{order.other}."
        keys = ("+1 group", "Done") if more else ("Done", "")
        return Told(
            Screen(name, text, code=tuple(digits.split()), keys=keys),
            (lambda: self._code(order, report, parity + 1)) if more else None,
        )

    def _charge(self, order: Order) -> View:
        with self._phone.handset() as handset:
            outcome = handset.charge(order)
            report = reports.of_charge(self._phone.sim, order, outcome)
        if report.refused:
            return _told("Not asked", report)
        mode = Mode[report.facts["mode"].upper()]
        wanted = evolve(order, mode=mode if mode in _WANTED else None)
        profile, length = _WANTED.get(mode, _UNASKED)

        def take() -> View:
            return self._take(wanted, Entry.begin(profile), length)

        if not report.facts["digits"]:
            return take()
        self._happened("shown", report, what="request")
        groups = tuple(report.facts["digits"].split())
        text = f"{show_amount(order.payment)} from +{order.other}: read it out, then OK."
        return Told(Screen("Request", text, code=groups, keys=("Their code", "Done")), take)

    def _take(self, order: Order, entry: Entry, text: str, tone: Tone = Tone.PLAIN) -> Boxes:
        title = f"Code for {show_amount(order.payment)}"
        return Boxes(title, entry, lambda boxes: self._accept(order, boxes), text, tone)

    def _accept(self, order: Order, boxes: Boxes) -> View | Move:
        digits = " ".join(box for box in boxes.entry.boxes if box)
        with self._phone.handset() as handset:
            outcome = handset.accept(evolve(order, code=digits))
            report = reports.of_accepted(self._phone.sim, order, outcome, handset.purse.balance)
        reading = outcome.reading
        name = _name(report).lower() if "mode" in report.facts else "payment code"
        self._happened("typed", report, what=name, digits=digits)
        if not report.refused:
            repaired = report.facts["groups_repaired"]
            groups = tuple(f"{group:04d}" for group in reading.groups) if reading else ()
            shown = groups if repaired else ()
            return Told(
                Screen("Received", report.text, Tone.GOOD, code=shown, repaired=tuple(repaired))
            )
        if reading is not None and reading.status is Status.MORE:
            return self._more(order, boxes, digits, report.text)
        if reading is not None and reading.status is Status.SAY_AGAIN:
            return boxes.ask_for(boxes.entry.asked_again(reading.doubtful), report.text)
        return _told("Not taken", report)

    def _more(self, order: Order, boxes: Boxes, digits: str, text: str) -> View | Move:
        """Ask for one more group; of four groups that were typed it is known now what they are."""
        if boxes.entry.profile is CHEQUE or len(digits.split()) != CHEQUE.groups:
            return boxes.ask_for(boxes.entry.with_more(), text)
        entry = Entry.begin(CHEQUE).typed(digits).with_more()
        return self._take(evolve(order, mode=Mode.CHEQUE), entry, text, Tone.ASKING)

    def _balance(self) -> View:
        with self._phone.handset() as handset:
            return _told("Balance", reports.of_balance(self._phone.sim, handset.purse), Tone.PLAIN)

    def _log(self) -> View:
        with self._phone.handset() as handset:
            rows = reports.of_log(self._phone.sim, handset.purse).facts["log"]
        lines = [
            f"{row['what']} {row['currency']} {row['amount']} {row['mode']} {row['peer']}".rstrip()
            for row in rows[-_RECENT:]
        ]
        return Told(Screen("Log", "\n".join(lines) or "Nothing yet."))

    def _receipt(self, other: Number) -> View:
        with self._phone.handset() as handset:
            report = reports.of_receipt(self._phone.sim, other, handset.last_payment(other))
        if report.refused:
            return _told("No receipt", report)
        digits, _, text = report.text.partition("\n")
        return Told(Screen("Receipt", f"{text} Compare by eye.", code=(digits,), keys=("Done", "")))


def _name(report: Report) -> str:
    return _NAMES[Mode[report.facts["mode"].upper()]]


def _told(title: str, report: Report, tone: Tone | None = None) -> Told:
    return Told(Screen(title, report.text, tone or (Tone.BAD if report.refused else Tone.GOOD)))
