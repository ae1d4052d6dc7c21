"""The sentences: for each rule of a theory who speaks to whom, what, and the same in short."""

from __future__ import annotations

REASONS = {
    "neverIssued": "Sam never issued that key.",
    "issuedTwice": "Sam has issued one number twice.",
    "notThePayee": "On this key the other one is the payee.",
    "nobodyPaid": "Nobody paid that, and no key had got out.",
    "nobodyAnswered": "A's SIM never answered that challenge, and no key had got out.",
    "creditedTwice": "One payment is credited twice.",
    "aboveLimit": "That is above the limit.",
    "aboveCap": "That is above the cap on small payments.",
    "afterLarger": "A larger n was confirmed before.",
    "deadKey": "The key was dead, and the SIM had been told.",
    "twoAmounts": "Two codes are about for one number.",
    "foreignKey": "Eve has that key, and nobody exposed it.",
    "markAhead": "The mark stands above all that Sam issued: A is locked out.",
    "refundedToo": "The payer has had that money back.",
    "notFresh": "The key is older than the J that was to prove it young.",
    "keyAB": "A took no part: the key is an old one (Denning and Sacco 1981).",
    "collision": "Nobody paid that price: C is the same for both.",
    "replayed": "One response is credited twice.",
}
"""Why a state is bad, by the theory's word for it."""

_PAY = (
    "{c.payer}",
    "Eve",
    "{c.payer}'s SIM debits {V} for {c.payee} and shows the {what}, under {key}{guessed}.",
    "{what}: {V}",
)
_POWER = "{P}'s SIM loses power"

_DTNS = {
    "issue": (
        "Sam",
        "{c.asker}",
        "{c.asker} asks for {c.holder}; Sam issues {key} ({c.terms}).",
        "M2: {key}",
    ),
    "issue-to-eve": (
        "Sam",
        "Eve",
        "Eve asks for {c.holder}, as herself; Sam issues {key}.",
        "M2: {key}",
    ),
    "restore": (
        "Sam",
        "Sam",
        "An old store of Sam's is put back; the epoch {stays} {E}.",
        "old store put back",
    ),
    "withdraw": ("Sam", "Eve", "Sam sends {c.holder} a message: {key} is withdrawn.", "withdrawal"),
    "tell": (
        "Sam",
        "Eve",
        "Sam sends {B} the time, week {later}, and the floor, epoch {E}.",
        "time",
    ),
    "obey": ("Eve", "{B}", "{B}'s SIM gets message {M} of Sam's, a withdrawal.", "withdrawal"),
    "hear": (
        "Eve",
        "{B}",
        "{B}'s SIM gets the time: it is week {W_}, and no ticket below epoch {E} counts.",
        "time",
    ),
    "renew": (
        "Sam",
        "{number}",
        "{number}'s number gets a new SIM, {number}2; the old one is still about.",
        "new SIM",
    ),
    "receive": (
        "{c.asker}",
        "Eve",
        "{c.asker}'s SIM takes in {key}{as_other}; Eve reads its ticket.",
        "ticket",
    ),
    "take": (
        "Eve",
        "{c.holder}",
        "{typed} the ticket of {key} ({c.terms}); the SIM takes it.",
        "ticket of {key}",
    ),
    "junk": ("Eve", "{P}", "Eve types twenty digits at {P}'s SIM, as a ticket of {key}.", "junk"),
    "offer": ("{B}", "Eve", "{B} hands out a nonce J.", "J"),
    "challenge": ("{P}", "Eve", "{P}'s SIM shows challenge {I} under {key}.", "M4, count {I}"),
    "respond": (
        "{P}",
        "Eve",
        "{P}'s SIM answers challenge {I} under {key}{guessed}.",
        "M5, count {I}",
    ),
    "confirm": (
        "Eve",
        "{P}",
        "{typed} the answer to challenge {CT}; the SIM takes {key} as confirmed.",
        "M5, count {CT}",
    ),
    "expose": ("{P}", "Eve", "The session key of {key} gets out of {P}'s SIM.", "the key itself"),
    "cut": ("{P}", "{P}", _POWER + ".", "power cut"),
    "pay": _PAY,
    "pay-charged": _PAY,
    "show-first": (
        "{c.payer}",
        "Eve",
        "{c.payer}'s SIM shows {c.payee} the {what} of {V}, under {key}.",
        "{what}: {V}",
    ),
    "write-later": ("{P}", "{P}", "{P}'s SIM writes the debit.", "debit written"),
    "cut-unwritten": ("{P}", "{P}", _POWER + " before the debit is written.", "power cut"),
    "accept-express": (
        "Eve",
        "{c.holder}",
        "{typed} an express code, as one of {V} under {key}; the SIM credits {V}.",
        "express code: {V}",
    ),
    "accept": (
        "Eve",
        "{P}",
        "{typed} a code, as the {what} of {V} under {key}; the SIM credits {V}.",
        "{what}: {V}",
    ),
    "mark-later": ("{P}", "{P}", "{P}'s SIM marks the number used.", "marked used"),
    "cut-unmarked": ("{P}", "{P}", _POWER + " before it marks the number used.", "power cut"),
    "charge": ("{P}", "Eve", "{P}'s SIM shows charge {I}, of {V}, under {key}.", "charge {I}: {V}"),
    "accept-response": (
        "Eve",
        "{P}",
        "{typed} a code, as the {what} of {V} under {key}; the SIM credits {V}.",
        "{what}: {V}",
    ),
    "refund": (
        "Sam",
        "{c.payer}",
        "Sam refunds {c.payer} the {what} of {V}, on a statement of {P}'s SIM.",
        "refund: {V}",
    ),
    "small-charge": (
        "{B}",
        "Eve",
        "{B}'s SIM shows small charge {more[CT]}, of {V}, for {A}.",
        "N_B = {more[CT]}, C of {V}",
    ),
    "small-pay": (
        "{A}",
        "Eve",
        "{A}'s SIM pays {B} {V} for small charge {I} and shows R.",
        "N_A, R of {V}",
    ),
    "small-accept": (
        "Eve",
        "{B}",
        "{typed} R, as {A}'s of {V} for small charge {CT}; the SIM credits {V}.",
        "N_A, R of {V}",
    ),
    "small-expose": ("A", "Eve", "The universal key gets out of a SIM.", "universal key"),
    "small-cut": ("{B}", "{B}", "{B}'s SIM loses power, and its count of charges.", "power cut"),
}
_TEXTBOOK = {
    "meet": ("B", "A", "A and B meet; B gives A {{A, J}}K_BS.", "{{A, J}}K_BS"),
    "get-key": (
        "Sam",
        "A",
        "Sam gives A K_AB and {{K_AB, A}}K_BS, fresh by N_A.",
        "K_AB, {{K_AB, A}}K_BS",
    ),
    "get-key-for": (
        "Sam",
        "A",
        "Sam gives A K_AB and {{K_AB, J, A}}K_BS, fresh by N_A.",
        "K_AB, {{K_AB, J, A}}K_BS",
    ),
    "expose": ("A", "Eve", "Long after, that K_AB gets out.", "the old K_AB"),
    "ticket": ("Eve", "B", "B is sent {{K_AB, A}}K_BS and answers {{N_B}}K_AB.", "{{K_AB, A}}K_BS"),
    "ticket-fresh": (
        "Eve",
        "B",
        "B is sent {{K_AB, J, A}}K_BS, uses J up and answers {{N_B}}K_AB.",
        "{{K_AB, J, A}}K_BS",
    ),
    "answer": ("A", "Eve", "A answers {{N_B - 1}}K_AB.", "{{N_B - 1}}K_AB"),
    "accept": (
        "Eve",
        "B",
        "B gets {{N_B - 1}}K_AB and takes K_AB as shared with A now.",
        "{{N_B - 1}}K_AB",
    ),
}
_DIGITALLY = {
    "charge": ("B", "B", "B has its SIM charge A {X}; the SIM draws N_B = {X_}.", "charge of {X}"),
    "pay": (
        "B",
        "A",
        "B shows A the N_B = {N} and C of {X}; A's SIM pays {X} with N_A, R.",
        "N_B, C of {X}; back: N_A, R",
    ),
    "accept": (
        "B",
        "B",
        "B types N_A, R; its SIM, waiting for {X} under N_B = {N}, credits {X}.",
        "credits {X}",
    ),
}
SENTENCES = {"SMALL": _DTNS, "TEXTBOOK": _TEXTBOOK, "DIGITALLY": _DIGITALLY}
"""For each theory and rule: from whom, to whom, the sentence, the same in short."""
