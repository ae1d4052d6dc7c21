"""The outcome of each step with money, as facts for scripts and a sentence for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from dtns.sam.handset.money import show_amount, show_minor
from dtns.sam.handset.orders import Charged, Order, Paid, Received, Refused
from dtns.sam.handset.paying import REPAIRABLE, with_parity
from dtns.sam.handset.purse import Purse, Transaction
from dtns.sam.handset.reports import Report
from dtns.sam.handset.sentences import sentence
from dtns.sam.handset.simfile import SimFile
from dtns.sam.protocol.log import Kind
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.payments import Payment

_WORDS: Final = {Kind.LOAD: "load", Kind.STATEMENT: "statement"}


def payment_facts(other: Number, payment: Payment) -> dict[str, Any]:
    """Return what may be told of a sum: as people write it, and in minor units."""
    return {
        "peer": f"+{other}",
        "currency": payment.currency,
        "amount": show_minor(payment.amount, payment.currency),
        "minor": payment.amount,
    }


def of_paid(
    sim: SimFile, order: Order, outcome: Paid | Refused, balance: int, parity: int = 0
) -> Report:
    """Report a payment with its code, or why there is none."""
    if isinstance(outcome, Refused):
        return _refusal("pay", order, outcome)
    line, currency = outcome.transaction, sim.terms.currency
    longer = parity and line.mode in REPAIRABLE
    digits = with_parity(line, parity) if longer else line.digits
    facts = {
        "status": "again" if outcome.again else "paid",
        "reason": "",
        **payment_facts(order.other, order.payment),
        "mode": line.mode.name.lower(),
        "number": line.entry.number,
        "digits": digits,
        "balance": show_minor(balance, currency),
    }
    done = "Paid before, the same code again" if outcome.again else "Paid"
    left = f"{currency} {facts['balance']}"
    text = f"{digits}\n{done}: {show_amount(order.payment)} to +{order.other}. Left: {left}."
    return Report(facts, text)


def of_charge(sim: SimFile, order: Order, outcome: Charged | Refused) -> Report:
    """Report what to read to the payer, if anything, and what to wait for."""
    if isinstance(outcome, Refused):
        return _refusal("charge", order, outcome)
    mode = outcome.mode.name.lower()
    facts = {"status": "waiting", "reason": "", **payment_facts(order.other, order.payment)}
    facts |= {"mode": mode, "digits": outcome.digits}
    if outcome.digits:
        return Report(facts, outcome.digits)
    wanted = f"{sim.terms.currency} {facts['amount']}"
    return Report(facts, f"No request code is needed: take +{order.other}'s code for {wanted}.")


def of_accepted(sim: SimFile, order: Order, outcome: Received | Refused, balance: int) -> Report:
    """Report money that came in, or why none did."""
    if isinstance(outcome, Refused):
        return _refusal("accept", order, outcome)
    line, reading = outcome.transaction, outcome.reading
    facts = {
        "status": outcome.status.value,
        "reason": "",
        **payment_facts(order.other, order.payment),
        "mode": line.mode.name.lower(),
        "number": line.entry.number,
        "groups_repaired": list(reading.changed) if reading else [],
        "balance": show_minor(balance, sim.terms.currency),
    }
    repair = f" {reading.message()}" if reading is not None and reading.changed else ""
    text = f"Received: {show_amount(order.payment)} from +{order.other}.{repair}"
    return Report(facts, f"{text} In the purse: {sim.terms.currency} {facts['balance']}.")


def of_receipt(sim: SimFile, other: Number, line: Transaction | None) -> Report:
    """Report the four digits that the two compare."""
    if line is None:
        return of_refusal(other, "no-payment")
    facts = {"status": "receipt", "receipt": f"{line.receipt:04d}", **_line_facts(sim, line)}
    verb = "received from" if line.received else "paid to"
    amount = f"{sim.terms.currency} {facts['amount']}"
    return Report(facts, f"{facts['receipt']}\n{amount} {verb} +{other}.")


def of_balance(sim: SimFile, purse: Purse) -> Report:
    """Report the money in the purse."""
    currency = sim.terms.currency
    amount = show_minor(purse.balance, currency)
    facts = {"balance": amount, "currency": currency, "minor": purse.balance}
    return Report(facts, f"{currency} {amount}")


def of_log(sim: SimFile, purse: Purse) -> Report:
    """Report the log, the oldest entry first."""
    rows = [{**_line_facts(sim, line), "filed": line.serial <= purse.filed} for line in purse.log]
    lines = [
        f"{row['serial']:>4} {row['time'] or row['week']:<17}{row['what']:<9}{row['mode']:<10}"
        f"{row['currency']} {row['amount']:>12}  {row['peer']}{'' if row['filed'] else ' *'}"
        for row in rows
    ]
    unfiled = any(not row["filed"] for row in rows)
    lines += ["* Sam does not have this yet."] if unfiled else []
    return Report({"log": rows}, "\n".join(lines) or "Nothing yet.")


def of_pin(reason: str, locks: int) -> Report:
    """Report whether the PIN is set."""
    if not reason:
        return Report({"status": "set", "reason": ""}, "The PIN is set.")
    facts: dict[str, Any] = {"status": "refused", "reason": reason}
    text = sentence("pay", reason)
    if reason == "pin-locked":
        facts["lock"] = locks
        text = f"{text} Lock {locks}."
    return Report({**facts, "message": text}, text, refused=True)


def of_refusal(other: Number, reason: str) -> Report:
    """Report that something could not be done with this number."""
    text = sentence("pay", reason)
    facts = {"status": "refused", "reason": reason, "peer": f"+{other}", "message": text}
    return Report(facts, text, refused=True)


def second_question(line: Transaction, currency: str) -> str:
    """Return what to ask before the same sum goes to the same payee once more."""
    amount = f"{currency} {show_minor(line.entry.amount, currency)}"
    made = _time(line.at)
    return f"{amount} was paid to +{line.entry.other.number} on {made}. A second payment?"


def _line_facts(sim: SimFile, line: Transaction) -> dict[str, Any]:
    entry, currency = line.entry, sim.terms.currency
    what = _WORDS.get(entry.kind) or ("received" if line.received else "paid")
    return {
        "serial": line.serial,
        "what": what,
        "mode": line.mode.name.lower() if line.is_payment else "",
        "peer": f"+{entry.other.number}" if line.is_payment else "",
        "currency": currency,
        "amount": show_minor(entry.amount, currency),
        "minor": entry.amount,
        "n": entry.n,
        "number": entry.number,
        "week": entry.week,
        "time": _time(line.at) if line.at else "",
    }


def _refusal(step: str, order: Order, refused: Refused) -> Report:
    reading = refused.reading
    facts: dict[str, Any] = {
        "status": "refused" if reading is None else reading.status.value,
        "reason": refused.reason,
        **payment_facts(order.other, order.payment),
    }
    if reading is not None:
        facts["doubtful"] = list(reading.doubtful)
    text = sentence(step, refused.reason) if reading is None else reading.message()
    if reading is not None and reading.candidates_tried:
        text = f"{text} Check the number and the amount, too."
    if refused.lock:
        facts["lock"] = refused.lock
        text = f"{text} Lock {refused.lock}."
    return Report({**facts, "message": text}, text, refused=True)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
