"""The outcome of each step on the phone, as facts for scripts and a sentence for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from dtns.codecs.digits import Status
from dtns.sam.handset.confirmations import Code, Verdict
from dtns.sam.handset.entering import Entered
from dtns.sam.handset.exchanges import Received
from dtns.sam.handset.sentences import sentence
from dtns.sam.handset.state import AskedKey, HeldKey
from dtns.sam.handset.tickets import Shown
from dtns.sam.handset.typed import EnteredAnswer
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.session import key_check_value
from dtns.sam.protocol.weeks import start_of

_GOOD = (Status.ACCEPTED, Status.REPAIRED)


@frozen
class Report:
    """What a step came to.

    facts is a JSON object; text is what a person reads; refused tells an expected negative and
    unsent that there was no signal.
    """

    facts: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)
    refused: bool = False
    unsent: bool = False


def key_facts(peer: Number, key: AskedKey | HeldKey) -> dict[str, Any]:
    """Return what may be told of a key: everything but itself."""
    context = key.context
    terms = context.terms
    return {
        "peer": f"+{peer}",
        "role": "asked" if isinstance(key, AskedKey) else "held",
        "n": context.n,
        "epoch": context.epoch,
        "generation": context.asker.generation,
        "expiry": _date(terms.expiry),
        "expiry_week": terms.expiry,
        "limit": terms.limit,
        "pays": terms.direction.name.split("_")[0].lower(),
        "confirmed": key.confirmed,
        "kcv": key_check_value(key.session),
    }


def of_received(received: Received) -> Report:
    """Report what a message was."""
    facts: dict[str, Any] = {"status": received.outcome, "reason": received.reason}
    if received.counter is not None:
        facts["counter"] = received.counter
    if received.peer is not None:
        facts["peer"] = f"+{received.peer}"
    if received.key is not None and received.peer is not None:
        facts |= key_facts(received.peer, received.key)
        text = f"Key {received.key.context.n} with +{received.peer} is here: {_terms(facts)}."
        return Report(facts, text)
    step = "ask" if received.outcome == "refused" else "message"
    return Report(facts, sentence(step, received.reason), refused=received.outcome == "refused")


def of_ticket(holder: Number, shown: Shown | str) -> Report:
    """Report a ticket to read out, or why there is none."""
    if isinstance(shown, str):
        return _refusal(holder, shown, sentence("ticket", shown))
    context = shown.context
    facts = {
        "digits": shown.digits,
        "form": shown.form,
        "peer": f"+{holder}",
        "n": context.n,
        "expiry": _date(context.terms.expiry),
    }
    return Report(facts, shown.digits)


def of_entry(asker: Number, entered: Entered) -> Report:
    """Report what came of typing a ticket."""
    reading = entered.reading
    facts: dict[str, Any] = {
        "status": entered.status.value,
        "reason": entered.reason,
        "peer": f"+{asker}",
        "kcv": None,
        "groups_repaired": list(reading.changed),
        "doubtful": list(reading.doubtful),
    }
    if entered.key is not None:
        facts |= key_facts(asker, entered.key)
        repair = f" {reading.message()}" if reading.changed else ""
        text = f"The ticket is good: key {entered.key.context.n} from +{asker} is held.{repair}"
        return Report(facts, text)
    plain = entered.status is reading.status and entered.reason == reading.reason
    text = reading.message() if plain else sentence("enter", entered.reason)
    if entered.lock:
        facts["lock"] = entered.lock
        text = f"{text} Lock {entered.lock}."
    facts["message"] = text
    return Report(facts, text, refused=True)


def of_answer(entered: EnteredAnswer) -> Report:
    """Report what came of typing an answer."""
    reading = entered.reading
    facts: dict[str, Any] = {
        "status": entered.status.value,
        "reason": entered.reason,
        "peer": None if entered.peer is None else f"+{entered.peer}",
        "kcv": None,
        "groups_repaired": list(reading.changed),
        "doubtful": list(reading.doubtful),
    }
    if entered.key is not None and entered.peer is not None:
        facts |= key_facts(entered.peer, entered.key)
        repair = f" {reading.message()}" if reading.changed else ""
        text = f"Key {entered.key.context.n} with +{entered.peer} is here: {_terms(facts)}.{repair}"
        return Report(facts, text)
    plain = entered.status is reading.status and entered.reason == reading.reason
    text = reading.message() if plain else sentence("answer", entered.reason)
    if entered.lock:
        facts["lock"] = entered.lock
        text = f"{text} Lock {entered.lock}."
    facts["message"] = text
    return Report(facts, text, refused=True)


def of_code(peer: Number, code: Code | Verdict | str) -> Report:
    """Report a challenge or a response to read out, or why there is none."""
    if isinstance(code, Code):
        return Report({"digits": code.digits, "peer": f"+{peer}"}, code.digits)
    if isinstance(code, Verdict):
        return of_verdict(peer, code)
    return _refusal(peer, code, sentence("confirm", code))


def of_verdict(peer: Number, verdict: Verdict) -> Report:
    """Report what a typed confirmation proved."""
    if verdict.status in _GOOD and verdict.key is not None:
        facts = {"status": verdict.status.value, "reason": "", **key_facts(peer, verdict.key)}
        return Report(facts, f"It is +{peer}: key {verdict.key.context.n} is confirmed.")
    reading = verdict.reading
    text = sentence("confirm", verdict.reason) if reading is None else reading.message()
    return _refusal(peer, verdict.reason, text)


def of_keys(keys: list[tuple[Number, AskedKey | HeldKey]]) -> Report:
    """Report all keys on the phone."""
    rows = [key_facts(peer, key) for peer, key in keys]
    lines = [
        f"{row['peer']:<17}{row['role']:<7}n {row['n']:<4}{_terms(row)}  check {row['kcv']}"
        + ("  confirmed" if row["confirmed"] else "")
        for row in rows
    ]
    return Report({"keys": rows}, "\n".join(lines) or "No keys yet.")


def _refusal(peer: Number, reason: str, text: str) -> Report:
    facts = {"status": "refused", "reason": reason, "peer": f"+{peer}", "message": text}
    return Report(facts, text, refused=True)


def _terms(facts: dict[str, Any]) -> str:
    return f"good until {facts['expiry']}, limit class {facts['limit']}, {facts['pays']} pays"


def _date(week: int) -> str:
    return datetime.fromtimestamp(start_of(week), UTC).date().isoformat()
