"""The model's terms and the real things they stand for: parties, contexts, weeks, sums, codes."""

from __future__ import annotations

from attrs import evolve
from scenes import Scene
from words import Context as Told
from world import FIRST_WEEK, TrialCard, World

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.handset.handset import Handset
from dtns.sam.protocol import confirmation, payments
from dtns.sam.protocol.payments import Mode, Payment, PurseTerms
from dtns.sam.protocol.session import Context, Direction, Party, Terms
from dtns.sam.protocol.ticket import TAG_BITS, Header, ticket_tag

WEEKS = 26
"""Real weeks for one of the model's, whose longest life is four."""
SCALES = {2: 100, 3: 166}
"""Minor units for one of the model's, by the scene's limit, so that as many fit as there.

The model's limits are limit classes: 100, 200 and 500 minor units.
"""
MONEY = 1_000_000
MODES = {"express": Mode.EXPRESS, "cheque": Mode.CHEQUE, "response": Mode.CHALLENGE}
BITS = {
    "ticket": TAG_BITS,
    "express": TAG_BITS,
    "cheque": payments.CHEQUE_TAG_BITS,
    "response": payments.RESPONSE_BITS,
    "m5": confirmation.CONFIRMATION_BITS,
}


class Phonebook:
    """The real phones of a scene's parties, each with money, and what else a term stands for."""

    def __init__(self, world: World, scene: Scene) -> None:
        self.world = world
        self.scale = SCALES[2 if "small" in scene.name else scene.limit]
        self.terms = PurseTerms(small_limit=2 * self.scale, small_total=3 * self.scale)
        self.first_epoch = world.epoch
        self.phones = {f"{name} # 1": self._with_money(world.phone()) for name in "abcd"}
        self.nonces: dict[str, int] = {}

    def _with_money(self, phone: Handset) -> Handset:
        phone.sim = evolve(phone.sim, terms=self.terms)
        self.world.load(phone, MONEY)
        return phone

    def phone(self, party: str) -> Handset:
        """Return the phone of a party; a second SIM that nobody asked about yet is put in."""
        if party not in self.phones:
            self.renew(party[0])
        return self.phones[party]

    def renew(self, name: str) -> None:
        """Give a number its second SIM."""
        self.phones[f"{name} # 2"] = self._with_money(
            self.world.renewed(self.phones[f"{name} # 1"])
        )

    def restart(self, party: str) -> None:
        """Cut the power of a phone and give it back."""
        phone = self.phone(party)
        card = TrialCard(phone.card.state)
        self.phones[party] = Handset(phone.sim, card, self.world.dice.randbytes)

    def party(self, text: str) -> Party:
        """Return the real party of `a # 1`, whose SIM need not exist."""
        name, _, generation = text.partition(" # ")
        return Party(self.phones[f"{name} # 1"].sim.number, int(generation))

    def context(self, text: str) -> Context:
        """Return the real context of the model's."""
        told = Told.of(text)
        asker, holder = text.removeprefix("ctx(").split(", ")[:2]
        return Context(
            self.party(asker),
            self.party(holder),
            self.first_epoch + told.epoch - 1,
            told.n,
            Terms(told.limit, Direction(told.direction), FIRST_WEEK + WEEKS * told.expiry),
            self.nonces[str(told.nonce)] if told.nonce else None,
        )

    def payment(self, amount: str) -> Payment:
        """Return the real sum of the model's."""
        return Payment(self.terms.currency, int(amount) * self.scale)

    def tag(self, type_: str, session: bytes, context: str, number: str, amount: str) -> int:
        """Return the bits of a code that a SIM with this key makes."""
        real, count = self.context(context), int(number)
        match type_:
            case "ticket":
                return ticket_tag(session, real)
            case "m5":
                return confirmation.confirmation(session, real, count)
            case "express":
                return payments.express_tag(session, real, self.payment(amount))
            case "cheque":
                return payments.cheque_tag(session, real, count, self.payment(amount))
            case _:
                return payments.response(session, real, count, self.payment(amount))

    def digits(self, type_: str, tag: int, context: str, number: str) -> str:
        """Return a code with this tag, as it is typed."""
        match type_:
            case "ticket" | "express":
                header = Header.of(self.context(context)).pack()
                return show(encode(PROFILES["ticket"], header << TAG_BITS | tag))
            case "cheque":
                bits = int(number) << payments.CHEQUE_TAG_BITS | tag
                return show(encode(PROFILES["cheque"], bits))
            case _:
                return show(encode(PROFILES["confirm" if type_ == "m5" else type_], tag))
