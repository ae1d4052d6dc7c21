"""Our own handset behind the door: it plays the steps of stories (sam/README.md, section 15)."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from attrs import evolve

from dtns.codecs.digits import Status
from dtns.sam.handset.card import MemoryCard, fresh_state
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.documents import CONVERTER
from dtns.sam.handset.exchanges import Wish
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.orders import Charged, Order, Paid, Received
from dtns.sam.handset.simfile import SimFile
from dtns.sam.handset.state import AskedKey, HeldKey, Peer, State
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.ask import Form
from dtns.sam.protocol.keys import PartyKeys
from dtns.sam.protocol.numbers import Number
from dtns.sam.protocol.octets import Key
from dtns.sam.protocol.payments import Mode, Payment, PurseTerms
from dtns.sam.protocol.session import Direction, key_check_value
from dtns.sam.protocol.small import UniversalKey

Line: TypeAlias = dict[str, Any]
_REASONS: Final = {"revoked": "floor", "contradiction": "conflict"}
_UNREADABLE: Final = frozenset(
    {"ambiguous", "not-canonical", "length", "characters", "empty", "too-long"}
)
UNPROVEN: Final = _UNREADABLE | {"wrong"}
"""Reasons for which digits prove nothing."""
_USES: Final = ("ask", "answer", "ticket", "seal", "sync")
REFUSED: Final[Line] = {"result": "refused"}


class Player:
    """Plays the steps of a story on the handsets of its SIMs."""

    def __init__(self, sims: list[Line]) -> None:
        self._sims = {line["name"]: _sim(line) for line in sims}
        self._states = {
            line["name"]: evolve(fresh_state(self._sims[line["name"]]), floor=line["floor"])
            for line in sims
        }
        self._draw = b""

    def play(self, step: Line) -> Line:
        """Do one step, and tell what came out in the words of the vectors.

        KeyError or ValueError where it is no step.
        """
        card = MemoryCard(self._states[step["sim"]])
        phone = Handset(self._sims[step["sim"]], card, lambda count: self._draw[:count])
        out = getattr(self, f"_{step['do']}")(phone, step)
        self._states[step["sim"]] = card.state
        return dict(out)

    def power_cycle(self) -> None:
        """Bring every phone's state to its written form and back."""
        for name, state in self._states.items():
            self._states[name] = CONVERTER.structure(CONVERTER.unstructure(state), State)

    def _ask(self, phone: Handset, step: Line) -> Line:
        wish = Wish(
            limit=step["limit_class"],
            direction=Direction(step["direction"]),
            form=Form(step["form"]),
            life=step["life"],
            nonce=None if step["nonce"] is None else int(step["nonce"], 16),
        )
        asked = phone.ask(step["holder"], wish, now=0.0, anew=True)
        return REFUSED if isinstance(asked, str) else {"text": asked.text}

    def _receive(self, phone: Handset, step: Line) -> Line:
        received = phone.receive(step["text"])
        if received.outcome == "ignored":
            return {"result": "nothing"}
        if received.outcome == "obeyed":
            return {"result": "obeyed"}
        if received.outcome == "refused":
            reason = next(reason for reason in Reason if reason.code == received.reason)
            return {"result": "refused", "reason": int(reason)}
        if received.key is None:
            return {"result": "dropped"}
        return {"result": "kept", **_named(received.key)}

    def _typed_ask(self, phone: Handset, step: Line) -> Line:
        asked = phone.ask_typed(step["holder"], 0.0, anew=True)
        return REFUSED if isinstance(asked, str) else {"digits": _compact(asked.text)}

    def _typed_answer(self, phone: Handset, step: Line) -> Line:
        entered = phone.enter_answer(step["digits"])
        if entered.key is not None:
            return {"result": "kept", **_named(entered.key)}
        return {"result": {"known": "nothing", "late": "dropped"}.get(entered.reason, "unproven")}

    def _show(self, phone: Handset, step: Line) -> Line:
        shown = phone.ticket(step["holder"], sealed=step["sealed"])
        return {"digits": _compact(shown.digits)} if isinstance(shown, Shown) else REFUSED

    def _enter(self, phone: Handset, step: Line) -> Line:
        before = phone.card.state.peers.get(step["asker"], Peer())
        entered = phone.enter(step["asker"], step["digits"])
        if entered.key is not None:
            known = before.key(entered.key.order) is not None
            return {"result": "resumed" if known else "taken", **_named(entered.key)}
        if entered.reason in UNPROVEN:
            return {"result": "unproven"}
        return {"result": _REASONS.get(entered.reason, entered.reason)}

    def _challenge(self, phone: Handset, step: Line) -> Line:
        return _spoken(phone.challenge(step["asker"]))

    def _respond(self, phone: Handset, step: Line) -> Line:
        return _spoken(phone.respond(step["holder"], step["digits"]))

    def _confirm(self, phone: Handset, step: Line) -> Line:
        verdict = phone.check(step["asker"], step["digits"])
        if verdict.key is not None:
            return {"result": "confirmed"}
        return {"result": "wrong" if verdict.reason == "wrong" else "refused"}

    def _offer(self, phone: Handset, step: Line) -> Line:
        self._draw = int(step["draw"], 16).to_bytes(4)
        digits = phone.nonce(step["asker"])
        return REFUSED if digits is None else {"digits": _compact(digits)}

    def _withdraw(self, phone: Handset, step: Line) -> Line:
        phone.forget_nonce(step["asker"])
        return {}

    def _look(self, phone: Handset, step: Line) -> Line:
        state = phone.card.state
        keys: tuple[AskedKey | HeldKey, ...]
        if "holder" in step:
            keys = state.asked.get(step["holder"], ())
        else:
            keys = state.peers.get(step["asker"], Peer()).held
        places = [list(key.context.order[1:]) for key in keys]
        return {"week": state.week, "epoch": state.epoch, "keys": places}

    def _pin(self, phone: Handset, step: Line) -> Line:
        reason = phone.set_pin(step["old"] or "", step["new"])
        return {"result": "refused", "reason": reason} if reason else {"result": "set"}

    def _charge(self, phone: Handset, step: Line) -> Line:
        charged = phone.charge(_order(phone, step["payer"], step))
        if not isinstance(charged, Charged):
            return REFUSED
        return {"mode": charged.mode.name.lower(), "digits": _compact(charged.digits) or None}

    def _pay(self, phone: Handset, step: Line) -> Line:
        order = _order(phone, step["payee"], step)
        paid = phone.pay(evolve(order, second=step["second"]), step["pin"])
        if not isinstance(paid, Paid):
            return REFUSED
        line = paid.transaction
        mode = line.mode.name.lower()
        return {"digits": _compact(line.digits), "mode": mode, "number": line.entry.number}

    def _accept(self, phone: Handset, step: Line) -> Line:
        taken = phone.accept(_order(phone, step["payer"], {"mode": None, **step}))
        if isinstance(taken, Received):
            return {"result": "credited"}
        if taken.reason in {"credited", "no-charge"}:
            return {"result": "again" if taken.reason == "credited" else "refused"}
        unread = taken.reading is not None and taken.reading.status is not Status.ACCEPTED
        if taken.reason in UNPROVEN or unread:
            return {"result": "unproven"}
        return {"result": "ticket" if taken.reason == "ticket" else "refused"}

    def _receipt(self, phone: Handset, step: Line) -> Line:
        line = phone.last_payment(step["other"])
        return {"digits": None if line is None else f"{line.receipt:04d}"}

    def _purse(self, phone: Handset, _: Line) -> Line:
        purse = phone.purse
        return {"balance": purse.balance, "filed": purse.filed, "last": purse.last_serial}

    def _log(self, phone: Handset, _: Line) -> Line:
        return {"texts": phone.log_messages()}


def _order(phone: Handset, other: str, step: Line) -> Order:
    payment = Payment(phone.sim.terms.currency, step["amount"])
    mode = None if step["mode"] is None else Mode[step["mode"].upper()]
    return Order(Number(other), payment, mode, step.get("digits") or "")


def _sim(line: Line) -> SimFile:
    sim = SimFile(
        number=Number(line["number"]),
        generation=line["generation"],
        epoch=line["epoch"],
        week=line["week"],
        service_number="777",
        network="unix:/nowhere",
        keys=PartyKeys(**{use: Key.parse(line[f"{use}_key"]) for use in _USES}),
    )
    if "terms" not in line:
        return sim
    universal = UniversalKey(line["period"], Key.parse(line["universal_key"]))
    return evolve(sim, terms=PurseTerms(**line["terms"]), universal=universal)


def _named(key: AskedKey | HeldKey) -> Line:
    return {"key": list(key.context.order[1:]), "kcv": key_check_value(key.session)}


def _spoken(came: object) -> Line:
    return {"digits": _compact(came.digits)} if isinstance(came, Code) else REFUSED


def _compact(digits: str) -> str:
    return digits.replace(" ", "")
