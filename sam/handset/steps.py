"""One step on the phone each: what `dtns phone SIM STEP` and the keypad do."""

from __future__ import annotations

import time
from typing import Any

from dtns.codecs.digits import PROFILES, decode
from dtns.gateway.errors import TemporaryError
from dtns.sam.handset import reports
from dtns.sam.handset.exchanges import Asked, Received, Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.reports import Report
from dtns.sam.handset.sentences import sentence
from dtns.sam.protocol.numbers import Number


def ask(
    phone: Phone, holder: Number, wish: Wish, wait_seconds: float, *, anew: bool = False
) -> Report:
    """Ask Sam for a key; wait for the answer so long. Without signal the ask is kept."""
    with phone.handset() as handset:
        asked = handset.ask(holder, wish, time.time(), anew=anew)
    facts: dict[str, Any] = {"peer": f"+{holder}"}
    if isinstance(asked, str):
        facts |= {"status": "refused", "reason": asked}
        return Report(facts, sentence("ask", asked), refused=True)
    facts |= {"status": "asked", "reason": "", "counter": asked.counter}
    try:
        taken, received, others = _send_and_wait(phone, asked, wait_seconds)
    except TemporaryError as fault:
        facts |= {"reason": "no-signal", "message": str(fault)}
        return Report(facts, f"{sentence('ask', 'no-signal')} ({fault})", unsent=True)
    if others:
        facts["others"] = [reports.of_received(other).facts for other in others]
    if received is None and not taken:
        facts["reason"] = "not-taken"
        return Report(facts, sentence("ask", "not-taken"), unsent=True)
    if received is None:
        return Report(facts, f"Request {asked.counter} is on its way to Sam.")
    report = reports.of_received(received)
    return Report(facts | report.facts, report.text, refused=report.refused)


def ask_typed(phone: Phone, holder: Number, *, anew: bool = False) -> Report:
    """Make an ask to be typed to Sam: 12 digits to go with the number."""
    with phone.handset() as handset:
        asked = handset.ask_typed(holder, time.time(), anew=anew)
    facts: dict[str, Any] = {"peer": f"+{holder}"}
    if isinstance(asked, str):
        facts |= {"status": "refused", "reason": asked}
        return Report(facts, sentence("ask", asked), refused=True)
    facts |= {"status": "asked", "reason": "", "counter": asked.counter, "digits": asked.text}
    return Report(facts, asked.text)


def enter_answer(phone: Phone, digits: str, *, more: bool = False) -> Report:
    """Take in an answer in digits; *more* goes on from what was typed before."""
    with phone.handset() as handset:
        before = handset.answer_draft.replace("/", " ") if more else ""
        return reports.of_answer(handset.enter_answer(f"{before} {digits}".strip()))


def cancel(phone: Phone, holder: Number) -> Report:
    """Give up the requests for this number that have no answer."""
    with phone.handset() as handset:
        count = handset.cancel(holder)
    facts = {"status": "cancelled", "peer": f"+{holder}", "count": count}
    return Report(facts, f"Requests given up: {count}.")


def _send_and_wait(
    phone: Phone, asked: Asked, wait_seconds: float
) -> tuple[bool, Received | None, list[Received]]:
    """Tell whether the network took the ask, what came for it, if anything, and what else did."""
    with phone.line() as line:
        taken = phone.send(line, asked)
        came: Received | None = None
        others: list[Received] = []
        for received in phone.wait(line, wait_seconds, until=asked.counter):
            if came or received.counter != asked.counter or received.outcome == "ignored":
                others.append(received)
            else:
                came = received
        return taken, came, others


def answers(phone: Phone, wait_seconds: float) -> Report:
    """Take in what Sam has sent, wait so long for more, and repeat asks that got no answer."""
    try:
        with phone.line() as line:
            with phone.handset() as handset:
                unsent = [ask for ask in handset.waiting() if ask.may_be_sent and not ask.sent]
            for asked in unsent:
                phone.send(line, asked)
            phone.send_log(line)
            came = [reports.of_received(one) for one in phone.wait(line, wait_seconds)]
    except TemporaryError as fault:
        facts: dict[str, Any] = {"status": "unsent", "reason": "no-signal", "answers": []}
        facts["message"] = str(fault)
        return Report(facts, f"No signal: {fault}", unsent=True)
    with phone.handset() as handset:
        waiting = len(handset.waiting())
    facts = {"status": "done", "answers": [report.facts for report in came], "waiting": waiting}
    lines = [report.text for report in came] or ["Nothing new."]
    if waiting:
        lines.append(f"Requests without an answer: {waiting}.")
    return Report(facts, "\n".join(lines))


def ticket(
    phone: Phone, holder: Number, *, sealed: bool = False, parity: int | None = None
) -> Report:
    """Show the ticket of the newest key asked for with this number."""
    with phone.handset() as handset:
        return reports.of_ticket(holder, handset.ticket(holder, sealed=sealed, parity=parity))


def enter(phone: Phone, asker: Number, digits: str, *, more: bool = False) -> Report:
    """Take in a ticket that this number read out; *more* goes on from what was typed before."""
    with phone.handset() as handset:
        before = handset.draft(asker).replace("/", " ") if more else ""
        return reports.of_entry(asker, handset.enter(asker, f"{before} {digits}".strip()))


def nonce(phone: Phone, asker: Number, *, forget: bool = False) -> Report:
    """Hand out a nonce that this number has to ask Sam with, or take it back."""
    with phone.handset() as handset:
        if not forget:
            digits = handset.nonce(asker)
            if digits is None:
                facts = {"status": "refused", "reason": "full", "peer": f"+{asker}"}
                return Report(facts, sentence("enter", "full"), refused=True)
            return Report({"digits": digits, "peer": f"+{asker}"}, digits)
        status = "forgotten" if handset.forget_nonce(asker) else "none"
        return Report({"status": status, "peer": f"+{asker}"}, f"Nonce: {status}.")


def read_nonce(digits: str) -> int | None:
    """Return the value of a nonce in digits, None if it is none."""
    return decode(PROFILES["request"], digits).payload


def challenge(phone: Phone, asker: Number) -> Report:
    """Make a challenge to the number whose ticket is held."""
    with phone.handset() as handset:
        return reports.of_code(asker, handset.challenge(asker))


def respond(phone: Phone, holder: Number, digits: str) -> Report:
    """Answer the challenge that this number read out."""
    with phone.handset() as handset:
        return reports.of_code(holder, handset.respond(holder, digits))


def check(phone: Phone, asker: Number, digits: str) -> Report:
    """Check the response that this number read out."""
    with phone.handset() as handset:
        return reports.of_verdict(asker, handset.check(asker, digits))


def keys(phone: Phone) -> Report:
    """List the keys, never their octets."""
    with phone.handset() as handset:
        return reports.of_keys(handset.keys())
