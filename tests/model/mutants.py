"""The mutants: implementations with one thing wrong, each with the scene that breaks it."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class Mutant:
    """An implementation with one thing wrong, which the search must find."""

    fault: str
    scene: str
    about: str
    reasons: tuple[str, ...] = field(converter=tuple)
    """The reasons for which the judge may call it broken."""
    exposed: bool = False
    """Whether it takes an exposed key to break it."""


MUTANTS = (
    Mutant(
        "noAsker",
        "Eve's own key",
        "keys and tags leave out the asker",
        ["neverIssued", "nobodyPaid"],
    ),
    Mutant(
        "noGeneration",
        "new SIMs",
        "keys and tags leave out the asker's generation",
        ["neverIssued", "nobodyPaid", "foreignKey"],
    ),
    Mutant(
        "generationlessSim",
        "new SIMs",
        "a SIM's keys, and all under them, leave out its generation",
        ["neverIssued"],
    ),
    Mutant(
        "noEpoch",
        "restore",
        "keys and tags leave out the epoch",
        ["neverIssued", "nobodyPaid", "foreignKey"],
    ),
    Mutant(
        "noN", "two keys", "keys and tags leave out n", ["neverIssued", "nobodyPaid", "foreignKey"]
    ),
    Mutant(
        "noExpiry", "limits and expiries", "keys and tags leave out the expiry", ["neverIssued"]
    ),
    Mutant("noLimit", "limits and expiries", "keys and tags leave out the limit", ["neverIssued"]),
    Mutant(
        "noDirection", "the holder pays", "keys and tags leave out the direction", ["neverIssued"]
    ),
    Mutant(
        "noAmount", "express and cheques", "the express tag leaves out the amount", ["nobodyPaid"]
    ),
    Mutant(
        "ticketPays",
        "express and cheques",
        "a plain ticket is taken as an express code",
        ["nobodyPaid"],
    ),
    Mutant("oneType", "all modes", "cheques and responses share a type octet", ["nobodyPaid"]),
    Mutant(
        "shortInside",
        "charges",
        "the response covers the short C instead of the amount",
        ["nobodyPaid"],
    ),
    Mutant("bothWays", "the holder pays", "both parties pay on one key", ["notThePayee"]),
    Mutant("proofReused", "confirmation", "M5 leaves out the count", ["nobodyAnswered"]),
    Mutant(
        "looseAnswer",
        "answers astray",
        "the answer is not bound to its ask",
        ["foreignKey", "neverIssued"],
    ),
    Mutant(
        "markUnchecked",
        "three keys",
        "no mark is kept: older keys live on",
        ["afterLarger", "deadKey"],
    ),
    Mutant(
        "markFalls",
        "three keys",
        "Sam's message sets the mark, and an old one is obeyed",
        ["afterLarger", "deadKey"],
    ),
    Mutant("markEarly", "confirmation", "the mark moves before the tag is checked", ["markAhead"]),
    Mutant("expiryUnchecked", "confirmation", "expiry is not checked", ["deadKey"], exposed=True),
    Mutant(
        "withdrawalIgnored", "two keys", "withdrawals are not obeyed", ["deadKey"], exposed=True
    ),
    Mutant(
        "floorUnchecked", "restore", "tickets below the floor of the epoch are taken", ["deadKey"]
    ),
    Mutant("sameEpoch", "restore", "a restore does not raise the epoch", ["issuedTwice"]),
    Mutant("nonceIgnored", "two meetings", "any ticket is taken while a J is out", ["notFresh"]),
    Mutant(
        "usedInRam",
        "express and cheques",
        "the map of used numbers is lost with the power",
        ["creditedTwice"],
    ),
    Mutant(
        "creditFirst",
        "express and cheques",
        "the credit is written before the number is marked used",
        ["creditedTwice"],
    ),
    Mutant(
        "shownFirst",
        "express and cheques",
        "the code is shown before the debit is written",
        ["twoAmounts"],
    ),
    Mutant(
        "numberUnbound",
        "express and cheques",
        "a payment number may be used for another amount",
        ["twoAmounts"],
    ),
    Mutant(
        "limitUnchecked",
        "express and cheques",
        "nobody adds up the payments of a key",
        ["aboveLimit"],
    ),
    Mutant(
        "countInRam", "charges", "the count of charges is lost with the power", ["creditedTwice"]
    ),
    Mutant("openStays", "charges", "a good response leaves the charge open", ["creditedTwice"]),
    Mutant("refundEarly", "refunds", "Sam refunds while the key lives", ["refundedToo"]),
    Mutant(
        "refundByNumber",
        "refunds",
        "Sam takes the word of the payee's new SIM",
        ["refundedToo"],
    ),
    Mutant("chargeUnbound", "small", "small payments: a charge is paid twice", ["twoAmounts"]),
    Mutant("smallNoPayee", "small", "small payments: R leaves out the payee", ["nobodyPaid"]),
    Mutant(
        "smallNoSim",
        "small, a new SIM",
        "small payments: a new SIM counts as the old one did",
        ["nobodyPaid"],
    ),
    Mutant("smallNoPayer", "small", "small payments: R leaves out the payer", ["nobodyPaid"]),
    Mutant("smallNoAmount", "small", "small payments: R leaves out the amount", ["nobodyPaid"]),
    Mutant(
        "smallInside",
        "small",
        "small payments: R covers the short C instead of the amount",
        ["nobodyPaid"],
    ),
    Mutant(
        "smallCountInRam",
        "small",
        "small payments: N_B begins again when the power was off",
        ["creditedTwice"],
    ),
    Mutant(
        "smallOpenStays",
        "small",
        "small payments: a good R leaves the charge open",
        ["creditedTwice"],
    ),
    Mutant(
        "smallUncapped",
        "small, exposed",
        "small payments: nobody adds them up",
        ["aboveCap"],
        exposed=True,
    ),
    Mutant(
        "largeBySmall",
        "small, exposed",
        "small payments: the universal key carries a large sum",
        ["aboveLimit"],
        exposed=True,
    ),
)
