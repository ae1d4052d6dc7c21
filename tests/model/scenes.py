"""The scenes: small worlds in which the rules are explored to the last state.

A scene's bounds are what may happen in it: which contexts exist, which amounts, numbers and
counts, and how often Sam issues, a key is exposed, a store put back. Power cuts have no bound.
"""

from __future__ import annotations

from attrs import frozen

A, B, C, D = "a # 1", "b # 1", "c # 1", "d # 1"
EVES_KEYS = "ticketKey(c # 1)"
_NEVER = "at(0, 0, 0)"
_EXPOSURE = "exposures(1)"


@frozen
class Scene:
    """One bounded world; the theory's initial state in it is `start(fault)`."""

    name: str
    about: str
    contexts: tuple[str, ...]
    items: tuple[str, ...]
    amounts: tuple[int, ...] = ()
    numbers: tuple[int, ...] = (0, 1)
    modes: tuple[str, ...] = ("m5",)
    reaches: tuple[tuple[str, ...], ...] = ()
    """What must be possible in it, as facts of a history: a scene in which nothing happens
    proves nothing."""
    limit: int = 2
    """The limit of its keys, or the cap on small payments."""
    knows: str = EVES_KEYS

    @property
    def exposable(self) -> bool:
        """Tell whether a key may get out in it."""
        return _EXPOSURE in self.items

    def start(self, fault: str = "sound", *, exposed: bool = True) -> str:
        """Return the initial state as a term, with what may be *exposed* in it, or nothing."""
        items = [item for item in self.items if exposed or item != _EXPOSURE]
        world = ", ".join(
            " ; ".join(map(str, values)) or empty
            for values, empty in (
                (self.contexts, "nothing"),
                (self.amounts, "none"),
                (self.numbers, "none"),
                (self.modes, "idle"),
            )
        )
        return f"{{ {fault} | world({world}) | {' '.join(items)} | {self.knows} | blank }}"


def key(
    *,
    asker: str = A,
    holder: str = B,
    epoch: int = 1,
    n: int = 1,
    expiry: int = 2,
    limit: int = 2,
    direction: int = 0,
    nonce: int = 0,
) -> str:
    """Return a context."""
    return f"ctx({asker}, {holder}, {epoch}, {n}, {expiry}, {limit}, {direction}, {nonce})"


def sims(*parties: str) -> tuple[str, ...]:
    """Return SIMs that have asked, heard and obeyed nothing."""
    return tuple(f"sim({party}, 0, 0, 0, 0)" for party in parties)


def pair(asker: str, holder: str, *more: str) -> tuple[str, ...]:
    """Return Sam's counter of a pair, and the marks in their SIMs, and in those of *more*."""
    names = f"{asker[0]}, {holder[0]}"
    parties = [party for party in (asker, holder, *more) if party[0] != "c"]
    marks = (f"mark({party}, {names}, {_NEVER}, {_NEVER})" for party in parties)
    return (f"last({asker}, {holder}, 0)", *marks)


HOME = ("epoch(1)", "clock(0)", "spoken(0)", *sims(A, B), *pair(A, B))

SCENES = (
    Scene(
        "confirmation",
        "two keys of a pair, two challenges; one exposed, the time told once",
        (key(n=1), key(n=2)),
        (*HOME, "issues(2)", "exposures(1)", "tidings(1)"),
        numbers=(0, 1, 2),
        reaches=((f"answered({key()}, 1)", f"sure({B}, {key()})"),),
    ),
    Scene(
        "three keys",
        "three keys of a pair; one withdrawn",
        (key(n=1), key(n=2), key(n=3)),
        (*HOME, "issues(3)", "withdrawals(1)"),
        reaches=((f"sure({B}, {key(n=2)})",),),
    ),
    Scene(
        "express and cheques",
        "one key, two amounts, three numbers; exposed once",
        (key(limit=3),),
        (*HOME, "issues(1)", "exposures(1)"),
        amounts=(1, 2),
        numbers=(0, 1, 2),
        modes=("express", "cheque"),
        limit=3,
        reaches=(
            (f"debit({key(limit=3)}, express, 0, 1)", f"credit({key(limit=3)}, express, 0, 1)"),
            (f"debit({key(limit=3)}, cheque, 2, 2)", f"credit({key(limit=3)}, cheque, 2, 2)"),
        ),
    ),
    Scene(
        "two keys",
        "a payment on each of two keys; one exposed, one withdrawn",
        (key(n=1), key(n=2)),
        (*HOME, "issues(2)", "exposures(1)", "withdrawals(1)"),
        amounts=(1,),
        modes=("express", "cheque"),
        reaches=(
            (f"credit({key(n=1)}, express, 0, 1)",),
            (f"granted({key(n=1)})", f"credit({key(n=2)}, cheque, 1, 1)"),
        ),
    ),
    Scene(
        "Eve's own key",
        "a key of A's and one of Eve's with the same holder",
        (key(), key(asker=C)),
        (*HOME, *pair(C, B), "issues(2)"),
        amounts=(1,),
        modes=("express", "cheque"),
        reaches=((f"credit({key()}, express, 0, 1)", f"credit({key(asker=C)}, express, 0, 1)"),),
    ),
    Scene(
        "charges",
        "one key, two amounts, two charges; exposed once",
        (key(limit=3),),
        (*HOME, "issues(1)", "exposures(1)"),
        amounts=(1, 2),
        numbers=(0, 1, 2),
        modes=("response",),
        limit=3,
        reaches=(
            (f"debit({key(limit=3)}, response, 2, 2)", f"credit({key(limit=3)}, response, 2, 2)"),
        ),
    ),
    Scene(
        "all modes",
        "express, a cheque and a charge on one key, two amounts; exposed once",
        (key(limit=3),),
        (*HOME, "issues(1)", "exposures(1)"),
        amounts=(1, 2),
        modes=("express", "cheque", "response"),
        limit=3,
        reaches=(
            (
                f"debit({key(limit=3)}, response, 1, 1)",
                f"credit({key(limit=3)}, response, 1, 1)",
                f"debit({key(limit=3)}, cheque, 1, 2)",
                f"credit({key(limit=3)}, cheque, 1, 2)",
            ),
        ),
    ),
    Scene(
        "the holder pays",
        "one key of each direction, the payee asking; one exposed",
        (key(direction=0), key(direction=1)),
        (*HOME, "issues(1)", "exposures(1)"),
        amounts=(1, 2),
        modes=("express", "cheque", "response"),
        reaches=(
            (
                f"debit({key(direction=1)}, cheque, 1, 1)",
                f"credit({key(direction=1)}, cheque, 1, 1)",
            ),
        ),
    ),
    Scene(
        "limits and expiries",
        "two limits, three expiries, the latest granted later; one exposed, the time told once",
        (key(expiry=2), key(expiry=4), key(expiry=4, limit=1), key(n=2, expiry=6)),
        (*HOME, "issues(2)", "exposures(1)", "tidings(1)"),
        amounts=(1, 2),
        modes=("express",),
        reaches=(
            (f"credit({key(expiry=4, limit=1)}, express, 0, 1)",),
            (f"credit({key(n=2, expiry=6)}, express, 0, 1)", f"knewWeek({B}, 2)"),
        ),
    ),
    Scene(
        "restore",
        "Sam's store put back once; one key exposed, the time told once",
        (key(expiry=4), key(epoch=2, expiry=4)),
        (*HOME, "issues(2)", "restores(1)", "exposures(1)", "tidings(1)"),
        amounts=(1,),
        modes=("express",),
        reaches=(
            (f"credit({key(expiry=4)}, express, 0, 1)",),
            (f"granted({key(expiry=4)})", f"credit({key(epoch=2, expiry=4)}, express, 0, 1)"),
        ),
    ),
    Scene(
        "new SIMs",
        "both SIMs replaced, the old ones still about; one key exposed",
        (key(), key(asker="a # 2"), key(holder="b # 2"), key(asker="a # 2", holder="b # 2")),
        (
            *HOME,
            *sims("a # 2", "b # 2"),
            *pair("a # 2", "b # 2")[1:],
            *("renewable(a)", "renewable(b)", "issues(2)", "exposures(1)"),
        ),
        amounts=(1,),
        modes=("express",),
        reaches=(
            (
                f"credit({key()}, express, 0, 1)",
                f"credit({key(asker='a # 2', holder='b # 2')}, express, 0, 1)",
            ),
        ),
    ),
    Scene(
        "two meetings",
        "the holder hands out a J first; two keys, one exposed",
        (key(n=1), key(n=2, nonce=1)),
        (*HOME, "issues(2)", "offers(1)", "exposures(1)"),
        amounts=(1,),
        modes=("express",),
        reaches=((f"credit({key(n=2, nonce=1)}, express, 0, 1)",),),
    ),
    Scene(
        "answers astray",
        "A asks for B and for Eve; answers come late, and in any order",
        (key(), key(holder=C)),
        (*HOME, *pair(A, C), "issues(2)"),
        amounts=(1,),
        modes=("express",),
        reaches=((f"credit({key()}, express, 0, 1)", f"granted({key(holder=C)})"),),
    ),
    Scene(
        "refunds",
        "Sam refunds once, the payee's SIM is replaced; one key exposed, the time told once",
        (key(), key(holder="b # 2")),
        (
            *HOME,
            *sims("b # 2"),
            *pair(A, "b # 2")[2:],
            "renewable(b)",
            "issues(1)",
            "exposures(1)",
            "tidings(1)",
            "refunds(1)",
        ),
        amounts=(1, 2),
        modes=("express", "cheque"),
        reaches=((f"refund({key()}, cheque, 1, 1)",),),
    ),
    Scene(
        "small",
        "A pays B or D twice, D once, and B charges twice, under the universal key",
        (),
        (
            *(f"purse({A}, 2)", f"purse({D}, 1)"),
            *(f"till({B}, 0, shut, {B}, 0)", f"till({D}, 2, shut, {D}, 0)"),
        ),
        amounts=(1, 2),
        numbers=(0, 1, 2),
        modes=(),
        knows="empty",
        reaches=(
            (f"smallCredit({A}, {B}, 1, 1, 1)", f"smallCredit({A}, {B}, 2, 2, 0)"),
            (f"smallCredit({D}, {B}, 1, 2, 0)",),
        ),
    ),
    Scene(
        "small, a new SIM",
        "A pays once; B charges twice, and once with its next SIM, which begins to count anew",
        (),
        (f"purse({A}, 1)", f"till({B}, 0, shut, {B}, 0)", "till(b # 2, 1, shut, b # 2, 0)"),
        amounts=(1,),
        numbers=(0, 1, 2),
        modes=(),
        knows="empty",
        reaches=((f"smallCredit({A}, b # 2, 1, 2, 0)",),),
    ),
    Scene(
        "small, exposed",
        "the universal key exposed",
        (),
        ("exposures(1)", f"purse({A}, 1)", f"till({B}, 0, shut, {B}, 0)"),
        amounts=(1, 2, 3),
        numbers=(0, 1, 2, 3),
        modes=(),
        limit=3,
        knows="empty",
        reaches=((f"smallCredit({A}, {B}, 2, 1, 0)",),),
    ),
)
