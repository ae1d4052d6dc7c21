"""What the phone says to the person, for every reason there is. Never a secret, never a code."""

from __future__ import annotations

from typing import Final

_ASK: Final = {
    "self": "A phone cannot ask for a key with itself.",
    "used-up": "This SIM has used up its request counter: it needs a new SIM from the operator.",
    "unknown": "Sam does not know that number: it is not enrolled.",
    "suspended": "Your own number is suspended: speak to the operator.",
    "peer-suspended": "That number is suspended.",
    "quota": "You have had all your keys for today: ask again tomorrow.",
    "exhausted": "All 255 keys with that number are used: the operator must renew your SIM.",
    "counter-reused": "Sam has seen this request number before, from another request: ask again.",
    "changed": "That number has a new SIM since: ask again.",
    "behind": "Sam has lost records and stopped issuing until the operator has restored them.",
    "not-taken": "The network did not take the request: it is kept and goes out with `answers`.",
    "no-signal": "No signal: the request is kept and goes out with `answers`.",
}
_MESSAGE: Final = {
    "": "Sam has sent news: it is taken in.",
    "malformed": "A message that is none of ours was passed over.",
    "unknown-ask": "An answer to a request that this phone no longer knows was passed over.",
    "not-authentic": "A message that Sam did not make for this phone was passed over.",
    "known": "An answer that had come before came again.",
    "cancelled": "An answer to a request that was given up was passed over.",
    "late": "An answer came too late: its key has expired, or newer ones are here.",
}
_TICKET: Final = {
    "no-key": "There is no key with that number yet: ask for one when there is signal.",
    "not-sealed": "This key came without its sealed ticket: read out the short one.",
}
_ENTRY: Final = {
    "self": "That is this phone's own number.",
    "locked": "Too many wrong codes: no more are taken until the operator ends this lock.",
    "expired": "The ticket is good, but its time is over: ask for a new key.",
    "revoked": "The ticket is good, but Sam has withdrawn keys of that age: ask for a new one.",
    "superseded": "The ticket is good, but a newer key of that number has been confirmed since.",
    "contradiction": "This ticket contradicts one that is already held: tell the operator.",
    "crowded": "The ticket is good, but newer keys of that number fill its place: use the newest.",
    "full": "This phone knows as many numbers as it can: strangers have to wait.",
}
_ANSWER: Final = {
    "half": "Kept so far: type on with `enter-answer --more`.",
    "no-ask": "No request of this phone waits for typed digits: `ask --typed` makes one.",
    "locked": _ENTRY["locked"],
    "known": "The answer is good, and its key is here already.",
    "late": _MESSAGE["late"],
}
_CONFIRMATION: Final = {
    "no-key": "There is no key with that number to confirm.",
    "locked": "Too many wrong codes under this key: a new key is needed.",
    "used-up": "This key has been challenged as often as it can be: a new key is needed.",
    "wrong": "The code does not verify: check the number and the digits, then type it again.",
    "old": "That challenge is older than one already answered: ask for a new one.",
    "no-challenge": "No challenge to that number is open: make one first.",
}
_BY_STEP: Final = {
    "ask": _ASK,
    "message": _MESSAGE,
    "ticket": _TICKET,
    "enter": _ENTRY,
    "answer": _ANSWER,
    "confirm": _CONFIRMATION,
}


def sentence(step: str, reason: str) -> str:
    """Return the sentence for a reason that arose in a step.

    The steps are ask, message, ticket, enter, answer and confirm.
    """
    return _BY_STEP[step].get(reason, f"Refused: {reason}.")
