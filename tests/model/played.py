"""A way through the model, played on a real Sam and real phones, as far as they go along."""

from __future__ import annotations

from typing import Any

from eve import Eve, Values
from phonebook import MODES, WEEKS, Phonebook
from scenes import Scene
from theory import Step
from words import Context as Told
from world import PIN, World

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.handset.card import MemoryCard
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.handset import Handset
from dtns.sam.handset.orders import Charged, Order, Paid, Received
from dtns.sam.protocol import confirmation, payments
from dtns.sam.protocol.payments import Mode
from dtns.sam.protocol.session import Direction
from dtns.sam.protocol.small import Deal
from dtns.sam.protocol.sync import Floor, Item, Mark, Sync
from dtns.sam.protocol.wire import to_text

SIM_COUNTS = 1 << 14
"""Small charges that a SIM counts in a period, apart from those of the number's other SIMs."""


class Played:
    """The real world in which a way is played, with a method for each rule: did they do it?"""

    def __init__(self, world: World, scene: Scene) -> None:
        self.world = world
        self.book = Phonebook(world, scene)
        self.backup = world.copy_of_store()
        self.clock = 0
        self.answers: dict[tuple[str, int], str] = {}
        self.orders: dict[tuple[str, str], str] = {}
        self.eve = Eve(self.book)

    def steps_done(self, steps: list[Step]) -> int:
        """Return how many steps the real ones went along with."""
        for done, step in enumerate(steps):
            fault = str(next(iter(step.before.arguments())))
            if not getattr(self, step.label.replace("-", "_"))({"F": fault, **step.values}):
                return done
        return len(steps)

    def phone(self, party: str) -> Handset:
        """Return the phone of a party."""
        return self.book.phone(party)

    def _order(self, other: str, amount: str, **wish: Any) -> Order:
        payment = self.book.payment(amount)
        return Order(self.book.party(other).number, payment, at=self.world.now, **wish)

    # ---- Sam

    def issue(self, v: Values) -> bool:
        """Ask Sam, who must issue the key of just this context."""
        asker, holder = v["C"].removeprefix("ctx(").split(", ")[:2]
        told = Told.of(v["C"])
        asked = self.world.ask(
            self.phone(asker),
            self.phone(holder),
            limit=told.limit,
            direction=Direction(told.direction),
            life=WEEKS * (told.expiry - self.clock),
            nonce=self.book.nonces[str(told.nonce)] if told.nonce else None,
        )
        text = self.world.answer(asked)
        self.answers[asker, int(v.get("R", 0)) + 1] = text
        phone = self.phone(asker)
        opened = Handset(phone.sim, MemoryCard(phone.card.state), self.world.dice.randbytes)
        key = opened.receive(text).key
        if key is None or key.context != self.book.context(v["C"]):
            return False
        self.eve.learn(v, key.session)
        return True

    issue_to_eve = issue

    def restore(self, v: Values) -> bool:
        """Put Sam's first store back, as `dtns restore` does."""
        self.world.open_store(self.backup)
        self.world.raise_epoch()
        return True

    def renew(self, v: Values) -> bool:
        """Replace a SIM."""
        self.book.renew(v["X"])
        return True

    def _send(self, party: str, number: str, item: Item) -> bool:
        sync = self.phone(party).sim.keys.sync
        told = Sync(1 + int(number), self.world.week, self.world.epoch, (item,))
        self.orders[party, number] = to_text(told.seal(sync))
        return True

    def withdraw(self, v: Values) -> bool:
        """Have Sam withdraw a key."""
        real = self.book.context(v["C"])
        holder = v["C"].split(", ")[1]
        return self._send(holder, str(int(v["O"]) + 1), Mark(real.asker, real.epoch, real.n))

    def tell(self, v: Values) -> bool:
        """Let two of the model's weeks pass, and have Sam tell one SIM."""
        self.clock += 2
        self.world.pass_weeks(2 * WEEKS)
        return self._send(v["B"], str(int(v["I"]) + 1), Floor(self.world.epoch))

    def obey(self, v: Values) -> bool:
        """Bring a SIM a message of Sam's own."""
        return self.phone(v["B"]).receive(self.orders[v["B"], v["M"]]).outcome == "obeyed"

    hear = obey

    # ---- the asker, the holder

    def receive(self, v: Values) -> bool:
        """Bring the asker an answer; Eve sees the ticket."""
        key = self.phone(v["A"]).receive(self.answers[v["A"], int(v["I"])]).key
        if key is None or key.context != self.book.context(v["C"]):
            return False
        self.eve.see(v, "ticket", "0", "0")
        return True

    def take(self, v: Values) -> bool:
        """Type a ticket."""
        asker, holder = v["C"].removeprefix("ctx(").split(", ")[:2]
        number = self.book.party(asker).number
        return (
            self.phone(holder).enter(number, self.eve.typed(v, "ticket", "0", "0")).key is not None
        )

    def junk(self, v: Values) -> bool:
        """Type a ticket whose tag is none."""
        digits = self.book.digits("ticket", 1, v["C"], "0")
        asker = self.book.context(v["C"]).asker.number
        return self.phone(v["P"]).enter(asker, digits).key is not None

    def offer(self, v: Values) -> bool:
        """Hand out a J."""
        phone, asker = self.phone(v["B"]), self.book.party(f"{v['X']} # 1").number
        assert phone.nonce(asker) is not None
        (nonce,) = (peer.nonce for peer in phone.card.state.peers.values() if peer.nonce)
        self.book.nonces[str(int(v["M"]) + 1)] = nonce
        return True

    def challenge(self, v: Values) -> bool:
        """Challenge the asker."""
        context = self.book.context(v["C"])
        phone = self.phone(v["P"])
        if not isinstance(phone.challenge(context.asker.number), Code):
            return False
        key = phone.card.state.peers[context.asker.number].key(context.order)
        return key is not None and key.pending == int(v["I"])

    def respond(self, v: Values) -> bool:
        """Type M4, seen or guessed."""
        context, session = self.book.context(v["C"]), self.eve.key(v)
        bits = confirmation.challenge(session, context, int(v["I"]))
        digits = show(encode(PROFILES["request"], bits))
        if not isinstance(self.phone(v["P"]).respond(context.holder.number, digits), Code):
            return False
        self.eve.see(v, "m5", v["I"], "0")
        return True

    def confirm(self, v: Values) -> bool:
        """Type M5."""
        asker = self.book.context(v["C"]).asker.number
        verdict = self.phone(v["P"]).check(asker, self.eve.typed(v, "m5", v["CT"], "0"))
        return verdict.status is Status.ACCEPTED

    # ---- payments

    def pay(self, v: Values) -> bool:
        """Pay by express or cheque; the phone must take the story's number."""
        return self._paid(
            v, v["T"], v["I"], self._order(_other(v), v["V"], mode=MODES[v["T"]], second=True)
        )

    show_first = pay

    def pay_charged(self, v: Values) -> bool:
        """Answer a charge, its proof seen or guessed."""
        context, payment = self.book.context(v["C"]), self.book.payment(v["V"])
        bits = payments.charge(self.eve.key(v), context, int(v["I"]), payment)
        digits = show(encode(PROFILES["request"], bits))
        order = self._order(_other(v), v["V"], mode=Mode.CHALLENGE, code=digits)
        return self._paid(v, "response", v["I"], order)

    def _paid(self, v: Values, type_: str, number: str, order: Order) -> bool:
        paid, key = self.phone(v["P"]).pay(order, PIN), self.book.context(v["C"])
        if not isinstance(paid, Paid):
            return False
        entry = paid.transaction.entry
        if (entry.epoch, entry.n, entry.number) != (key.epoch, key.n, int(number)):
            return False
        if entry.other not in (key.asker, key.holder):
            return False
        self.eve.see(v, type_, number, v["V"])
        return True

    def charge(self, v: Values) -> bool:
        """Charge the payer."""
        order = self._order(_other(v), v["V"], mode=Mode.CHALLENGE)
        return isinstance(self.phone(v["P"]).charge(order), Charged)

    def accept_express(self, v: Values) -> bool:
        """Type an express code for a key that is not held."""
        holder = v["C"].split(", ")[1]
        return self._accepted({**v, "P": holder}, "express", "0")

    def accept(self, v: Values) -> bool:
        """Type an express code or a cheque for a key that is held."""
        return self._accepted(v, v["T"], v["I"])

    def accept_response(self, v: Values) -> bool:
        """Type a response."""
        return self._accepted(v, "response", v["CT"])

    def _accepted(self, v: Values, type_: str, number: str) -> bool:
        code = self.eve.typed(v, type_, number, v["V"])
        order = self._order(_other(v), v["V"], mode=MODES[type_], code=code)
        return isinstance(self.phone(v["P"]).accept(order), Received)

    # ---- small payments

    def _deal(self, v: Values, count: str) -> Deal:
        payer, payee = self.book.party(v["A"]).number, self.book.party(v["B"]).number
        made_with = self.book.party(v["B"]).generation
        return Deal(payer, payee, self.book.payment(v["V"]), made_with * SIM_COUNTS + int(count))

    def small_charge(self, v: Values) -> bool:
        """Make a small charge."""
        order = self._order(v["A"], v["V"], mode=Mode.SMALL)
        phone = self.phone(v["B"])
        while phone.purse.small.charged < int(v["CT"]):
            phone.charge(order)
        return isinstance(phone.charge(order), Charged)

    def small_pay(self, v: Values) -> bool:
        """Pay a small charge, its proof seen or guessed; not one that was paid before."""
        universal = self.phone(v["A"]).sim.universal
        assert universal is not None
        code = show(encode(PROFILES["request"], self._deal(v, v["I"]).charge(universal)))
        order = self._order(v["B"], v["V"], mode=Mode.SMALL, code=code)
        paid = self.phone(v["A"]).pay(order, PIN)
        if not isinstance(paid, Paid) or paid.again:
            return False
        self.eve.see_small(v, v["I"], self._deal(v, v["I"]).response(universal, self._made(v["A"])))
        return True

    def _made(self, payer: str) -> int:
        return (self.phone(payer).purse.small.paid - 1) % 16

    def small_accept(self, v: Values) -> bool:
        """Type R, seen or made with the universal key."""
        universal = self.phone(v["B"]).sim.universal
        assert universal is not None
        made = self._deal(v, v["CT"]).response(universal, int(v["NA"]))
        bits = self.eve.typed_small(v, v["CT"], made)
        code = show(encode(PROFILES["confirm"], bits))
        order = self._order(v["A"], v["V"], mode=Mode.SMALL, code=code)
        return isinstance(self.phone(v["B"]).accept(order), Received)

    def cut(self, v: Values) -> bool:
        """Cut the power of the phone that the step is about."""
        self.book.restart(v.get("P", v.get("B", "")))
        return True

    cut_unwritten = cut_unmarked = small_cut = cut

    def expose(self, v: Values) -> bool:
        """Let Eve have a key; no phone notices."""
        return bool(v)

    small_expose = write_later = mark_later = expose


def _other(v: Values) -> str:
    asker, holder = v["C"].removeprefix("ctx(").split(", ")[:2]
    mine = v.get("P", asker)
    return holder if mine == asker else asker
