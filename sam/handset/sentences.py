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
_PAYMENT: Final = {
    "self": "A phone cannot pay itself.",
    "currency": "This SIM's purse is in another currency.",
    "no-pin": "There is no PIN yet: `pin` sets one, 4 to 8 digits.",
    "malformed": "A PIN is 4 to 8 digits.",
    "wrong-pin": "That is not the PIN.",
    "pin-locked": "Too many wrong PINs: the operator has to end this lock.",
    "funds": "There is not so much in the purse.",
    "log-full": "The log is full: it has to go to Sam with `answers`, where there is signal.",
    "no-key": "There is no key to pay that number with: ask for one when there is signal.",
    "charge-needed": "This payment needs a request code: the other makes it with `charge`.",
    "no-charge-mode": "A request code goes with the modes challenge and small alone.",
    "limit": "That is more than this key may pay at once: ask for one with a higher limit.",
    "limit-sum": "That is more than is left of this key's limit: ask for a new key.",
    "payments-used-up": "All payments of this key are used: ask for a new key.",
    "no-express": "Express is the first payment on a key that this phone asked for.",
    "wrong": "The code does not verify: check number, amount and digits, then type it again.",
    "old": "That request code is older than one already paid: ask for a new one.",
    "other-payment": "That request code was paid before, with another amount.",
    "charges-locked": "Too many wrong request codes under this key: a new key is needed.",
    "too-large": "That is too large a sum to pay without a key of your own.",
    "small-locked": "Too many wrong codes: small payments rest until Sam has this phone's log.",
    "small-total": "Enough small payments have come in: Sam has to have this phone's log first.",
    "peer-limit": "Enough has come from that number: Sam has to have this phone's log first.",
    "purse-full": "The purse holds as much as it can.",
    "used-up": "Too many request codes were made and not paid: a new key is needed.",
    "no-payment": "There was no payment with that number.",
    "no-charge": "No request for this sum to that number is open: make one with `charge`.",
    "credited": "This payment is in the purse already: it counts once.",
    "ticket": "That was a ticket: its key is held now, but no money came. Take the payment code.",
}
_BY_STEP: Final = {
    "ask": _ASK,
    "message": _MESSAGE,
    "ticket": _TICKET,
    "enter": _ENTRY,
    "answer": _ANSWER,
    "confirm": _CONFIRMATION,
    "pay": _ENTRY | _PAYMENT,
    "charge": _PAYMENT | {"no-key": "There is no key on which that number can pay you."},
    "accept": _ENTRY
    | _PAYMENT
    | {"no-key": "No key of that number is held: take its ticket, or an express code, first."},
}


def sentence(step: str, reason: str) -> str:
    """Return the sentence for a reason that arose in a step.

    The steps are ask, message, ticket, enter, answer, confirm, pay, charge and accept.
    """
    return _BY_STEP[step].get(reason, f"Refused: {reason}.")
