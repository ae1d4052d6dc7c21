"""The exchanges, one function each; its first line says what must hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dtns.sam.conformance.exchanges import MONEY, NUMBERS, PIN, Scene
from dtns.sam.protocol.session import Direction

_LUNCH: Final = 450
_TRIES: Final = 10
_EXPRESS: Final = 20
_CHEQUE: Final = 16


def _handed_over(scene: Scene) -> None:
    """A key is asked for, handed over and confirmed."""
    scene.handed("A", "B")
    scene.confirm("A", "B")
    scene.enter("B", "A", scene.ticket("A", "B"), result="resumed")


def _sealed(scene: Scene) -> None:
    """A random key goes by sealed ticket."""
    kept = scene.key("A", "B", form=2)
    scene.enter("B", "A", scene.ticket("A", "B", sealed=True), result="taken", kcv=kept.get("kcv"))
    scene.confirm("A", "B")


def _late(scene: Scene) -> None:
    """Answers that come twice, late and out of order bring each key once."""
    wish = {"limit_class": 16, "direction": 0, "form": 0, "life": 0, "nonce": None}
    asks = [scene.text("A", "ask", holder=NUMBERS["B"], **wish) for _ in range(3)]
    answers = [scene.sam.answer(ask) for ask in asks]
    again = scene.sam.answer(asks[0])
    scene.expect(answers[0], again)
    for answer in reversed(answers):
        scene.do("A", "receive", text=answer, due={"result": "kept"})
    for answer in answers:
        scene.do("A", "receive", text=answer, due={"result": "nothing"})
    scene.do("A", "receive", text="AEBAAAAB", due={"result": "nothing"})


def _old_ticket(scene: Scene) -> None:
    """A ticket is dead once a newer key is confirmed, and serves nobody else."""
    scene.key("A", "B")
    old = scene.ticket("A", "B")
    scene.enter("C", "A", old, result="unproven")
    scene.enter("B", "C", old, result="unproven")
    scene.handed("A", "B")
    scene.confirm("A", "B")
    scene.enter("B", "A", old, result="superseded")


def _old_challenge(scene: Scene) -> None:
    """An old challenge is refused, the last one gets one answer, and that confirms once."""
    scene.handed("A", "B")
    first = scene.digits("B", "challenge", asker=NUMBERS["A"])
    second = scene.digits("B", "challenge", asker=NUMBERS["A"])
    answer = scene.digits("A", "respond", holder=NUMBERS["B"], digits=second)
    again = scene.digits("A", "respond", holder=NUMBERS["B"], digits=second)
    scene.expect(answer, again)
    refused = {"result": "refused"}
    scene.do("A", "respond", holder=NUMBERS["B"], digits=first, due=refused)
    scene.do("B", "confirm", asker=NUMBERS["A"], digits=answer, due={"result": "confirmed"})
    scene.do("B", "confirm", asker=NUMBERS["A"], digits=answer, due=refused)


def _express(scene: Scene) -> None:
    """An express code brings key and payment once, for its amount."""
    scene.load("A")
    scene.key("A", "B")
    code = scene.pay("A", "B", _LUNCH)
    scene.expect(_EXPRESS, len(code))
    scene.expect(code, scene.pay("A", "B", _LUNCH))
    scene.purse("A", MONEY - _LUNCH)
    scene.accept("B", "A", _LUNCH + 1, code, "unproven")
    scene.accept("C", "A", _LUNCH, code, "unproven")
    scene.accept("B", "A", _LUNCH, code, "credited")
    scene.accept("B", "A", _LUNCH, code, "again")
    scene.purse("B", _LUNCH)
    scene.purse("C", 0)


def _cheques(scene: Scene) -> None:
    """Cheques are credited once each, in any order, a slip repaired."""
    scene.load("A")
    scene.handed("A", "B")
    codes = [scene.pay("A", "B", amount, mode="cheque") for amount in (100, 200, 300)]
    scene.expect([_CHEQUE] * 3, [len(code) for code in codes])
    scene.accept("B", "A", 300, codes[2], "credited")
    slip = codes[0][:5] + str((int(codes[0][5]) + 1) % 10) + codes[0][6:]
    scene.accept("B", "A", 100, slip, "credited")
    scene.accept("B", "A", 100, codes[0], "again")
    scene.accept("B", "A", 300, codes[1], "unproven")
    scene.accept("B", "A", 200, codes[1], "credited")
    scene.purse("B", 600)


def _challenged(scene: Scene) -> None:
    """A charge is paid once, and the next charge ends it."""
    scene.load("A")
    scene.handed("A", "B")
    wanted = {"payer": NUMBERS["A"], "amount": _LUNCH, "mode": "challenge"}
    old = scene.digits("B", "charge", **wanted)
    charge = scene.digits("B", "charge", **wanted)
    code = scene.pay("A", "B", _LUNCH, digits=charge)
    order = {"payee": NUMBERS["B"], "pin": PIN, "mode": "challenge", "second": False}
    refused = {"result": "refused"}
    scene.do("A", "pay", **order, amount=_LUNCH, digits=old, due=refused)
    scene.do("A", "pay", **order, amount=_LUNCH + 1, digits=charge, due=refused)
    scene.accept("B", "A", _LUNCH, code, "credited")
    scene.accept("B", "A", _LUNCH, code, "refused")
    scene.purse("A", MONEY - _LUNCH)
    scene.purse("B", _LUNCH)


def _small(scene: Scene) -> None:
    """A small payment needs no key, and is credited once."""
    scene.load("A")
    wanted = {"payer": NUMBERS["A"], "amount": _LUNCH, "mode": None}
    charge = scene.digits("B", "charge", **wanted)
    code = scene.pay("A", "B", _LUNCH, digits=charge)
    scene.accept("B", "A", _LUNCH, code, "credited")
    scene.accept("B", "A", _LUNCH, code, "refused")
    scene.purse("A", MONEY - _LUNCH)
    scene.purse("B", _LUNCH)


def _one_way(scene: Scene) -> None:
    """A key pays one way, in whatever field its codes are typed."""
    scene.load("A")
    scene.load("B")
    scene.handed("A", "B", direction=Direction.HOLDER_PAYS.value)
    order = {"payee": NUMBERS["B"], "amount": MONEY // 2, "pin": PIN, "mode": "cheque"}
    scene.do("A", "pay", **order, digits=None, second=False, due={"result": "refused"})
    code = scene.pay("B", "A", _LUNCH)
    scene.accept("A", "B", _LUNCH, code, "credited")
    scene.accept("B", "A", _LUNCH, scene.ticket("A", "B"), "ticket")
    scene.purse("B", MONEY - _LUNCH)


def _old_key(scene: Scene) -> None:
    """What was paid on an older key is dead once a newer one has paid."""
    scene.load("A")
    scene.key("A", "B")
    late = scene.pay("A", "B", _LUNCH)
    scene.key("A", "B")
    scene.accept("B", "A", 100, scene.pay("A", "B", 100), "credited")
    scene.accept("B", "A", _LUNCH, late, "refused")


def _pin(scene: Scene) -> None:
    """Three wrong PINs lock the purse."""
    scene.load("A")
    scene.key("A", "B")
    order = {"payee": NUMBERS["B"], "amount": _LUNCH, "mode": None, "digits": None}
    for pin in ("0000", "1111", "2222", PIN):
        scene.do("A", "pay", **order, second=False, pin=pin, due={"result": "refused"})
    scene.purse("A", MONEY)


def _guesses(scene: Scene) -> None:
    """Ten wrong charges end a key for challenges, and for nothing else."""
    scene.load("A")
    scene.handed("A", "B")
    wanted = {"payer": NUMBERS["A"], "amount": _LUNCH, "mode": "challenge"}
    charge = scene.digits("B", "charge", **wanted)
    order = {"payee": NUMBERS["B"], "pin": PIN, "mode": "challenge", "second": False}
    refused = {"result": "refused"}
    for _ in range(_TRIES):
        scene.do("A", "pay", **order, amount=_LUNCH + 1, digits=charge, due=refused)
    scene.do("A", "pay", **order, amount=_LUNCH, digits=charge, due=refused)
    scene.accept("B", "A", _LUNCH, scene.pay("A", "B", _LUNCH), "credited")


def _logs(scene: Scene) -> None:
    """Both logs reach Sam and fit together, and a load counts once."""
    scene.load("A")
    scene.key("A", "B")
    scene.accept("B", "A", _LUNCH, scene.pay("A", "B", _LUNCH), "credited")
    receipts = [scene.digits(one, "receipt", other=NUMBERS[other]) for one, other in ("AB", "BA")]
    scene.expect(receipts[0], receipts[1])
    for who in "AB":
        for text in scene.do(who, "log").get("texts", []):
            answer = scene.sam.answer(text)
            scene.expect("an acknowledgement", "an acknowledgement" if answer else "silence")
            scene.do(who, "receive", text=answer)
        purse = scene.do(who, "purse")
        scene.expect(purse.get("last"), purse.get("filed"))
    state = scene.sam.reconciled()
    scene.expect(["1 payment agreed", []], [f"{state.agreed} payment agreed", list(state.findings)])
    scene.purse("A", MONEY - _LUNCH)


SCENES: Final[tuple[Callable[[Scene], None], ...]] = (
    *(_handed_over, _sealed, _late, _old_ticket, _old_challenge),
    *(_express, _cheques, _challenged, _small, _one_way, _old_key, _pin, _guesses, _logs),
)
