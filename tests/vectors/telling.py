"""The making of a story: each step goes through the model, and what came out is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import reference as ref
from lines import Line, octets, payload
from model import Key, Peer, Phone
from reference import Ask, Context, Party
from spoken import digits_of

WIDTHS = {"ticket": 66, "sealed": 202, "request": 26, "confirm": 26}
Place = tuple[int, int, int]
MASTER = octets("master", 32)


def party(number: str, generation: int = 1, epoch: int = 1) -> Party:
    """Enrol a number."""
    return Party(number, generation, epoch, MASTER, 1)


ALICE, BOB, CAROL = party("254700123456"), party("25670012345"), party("447700900123")


def issued(asker: Party, holder: Party, n: int, expiry: int = 200, **values: Any) -> Context:
    """Give the context of a key that Sam issues."""
    plain = Context(
        asker.number, asker.generation, holder.number, holder.generation, 1, n, expiry, 13
    )
    return replace(plain, **values)


class Story:
    """One line of phones.jsonl in the making."""

    def __init__(self, note: str) -> None:
        self.note = note
        self.sims: list[Line] = []
        self.steps: list[Line] = []
        self.names: dict[int, str] = {}
        self.phones: list[Phone] = []

    def sim(
        self, name: str, party: Party, week: int = 150, epoch: int = 1, floor: int = 1
    ) -> Phone:
        """Put a new SIM into the story."""
        phone = Phone(party, week, epoch, floor)
        self.add(name, phone)
        return phone

    def add(self, name: str, phone: Phone) -> None:
        """Put a SIM into the story as it is."""
        party = phone.party
        self.phones.append(phone)
        self.names[id(phone)] = name
        self.sims.append(
            {
                "name": name,
                "number": party.number,
                "generation": party.generation,
                "week": phone.week,
                "epoch": phone.epoch,
                "floor": phone.floor,
                **{f"{use}_key": party.key(use).hex() for use in ref.PARTY_TYPES},
            }
        )

    def step(self, phone: Phone, do: str, expect: Line, **given: Any) -> None:
        """Write one step down."""
        self.steps.append({"sim": self.names[id(phone)], "do": do, **given, "expect": expect})

    def line(self) -> Line:
        """Give the whole story."""
        return {"note": self.note, "sims": self.sims, "steps": self.steps}

    # The asker's steps

    def ask(self, phone: Phone, holder: Party, **wishes: Any) -> Ask:
        """Let a phone ask."""
        wishes = {"limit_class": 13, "direction": 0, "form": 0, "life": 50, "nonce": None} | wishes
        text = ref.text_of(phone.ask(holder.number, **wishes))
        told = wishes["nonce"]
        given = {**wishes, "nonce": None if told is None else payload(told, 26)}
        self.step(phone, "ask", {"text": text}, holder=holder.number, **given)
        return phone.asks[phone.counter]

    def grant(
        self, phone: Phone, ask: Ask, context: Context, **values: Any
    ) -> tuple[str, Key, int]:
        """Let Sam answer an ask with a key: the text, the key and Sam's week."""
        holder = party(context.holder, context.holder_generation)
        week, derived = values.get("week", 150), values.get("derived", True)
        key = context.session_key(holder.key("ticket")) if derived else octets("random key", 16)
        sealed = b""
        if values.get("sealed", not derived):
            tickets = context.sealed(key, holder.key("seal")) & ((1 << 176) - 1)
            sealed = tickets.to_bytes(22, "big")
        witness = phone.party.witness(
            context.holder, context.holder_generation, context.epoch, context.n
        )
        plaintext = ref.grant(context, week, witness, key, derived=derived, sealed=sealed)
        return (
            self.answer(phone, ask, plaintext),
            Key(context, key, witness, sealed, derived),
            week,
        )

    def answer(self, phone: Phone, ask: Ask, plaintext: bytes) -> str:
        """Seal an answer of Sam's."""
        whole = ask.octets(phone.party.key("ask"))
        sealed = ref.answer(phone.party.key("answer"), ask.counter, whole, plaintext)
        return ref.text_of(sealed)

    def receive(
        self, phone: Phone, counter: int, answer: tuple[str, Key, int], result: str
    ) -> None:
        """Let a phone receive a grant."""
        text, key, week = answer
        came = phone.granted(counter, key, week)
        assert came == result, (self.note, came, result)
        expect: Line = {"result": result}
        if result == "kept":
            expect |= {"key": place_of(key.context), "kcv": ref.kcv(key.octets)}
        self.step(phone, "receive", expect, text=text)

    def refuse(self, phone: Phone, ask: Ask, reason: int, week: int = 150) -> None:
        """Let a phone receive a refusal."""
        text = self.answer(phone, ask, bytes([reason]) + week.to_bytes(2, "big"))
        expect: Line = {"result": phone.refused(week), "reason": reason}
        self.step(phone, "receive", expect, text=text)

    def ignore(self, phone: Phone, text: str) -> None:
        """Let a phone receive what it must take no notice of."""
        self.step(phone, "receive", {"result": "nothing"}, text=text)

    def key(self, phone: Phone, context: Context, **values: Any) -> Key:
        """Let a phone ask for a key and get it."""
        wishes = {
            "limit_class": context.limit_class,
            "direction": context.direction,
            "nonce": context.nonce,
            "form": 2 if not values.get("derived", True) else int(values.get("sealed", False)),
        }
        ask = self.ask(phone, party(context.holder, context.holder_generation), **wishes)
        answer = self.grant(phone, ask, context, **values)
        self.receive(phone, ask.counter, answer, "kept")
        return answer[1]

    def type_ask(self, phone: Phone, holder: Party) -> bytes:
        """Let a phone make an ask to be typed."""
        whole = phone.type_ask(holder.number)
        shown = ref.pack((phone.counter, 6), (int.from_bytes(whole[-5:], "big"), 33))
        digits = digits_of("ask", shown)
        self.step(phone, "typed_ask", {"digits": digits}, holder=holder.number)
        return whole

    def typed_grant(self, phone: Phone, whole: bytes, context: Context) -> int:
        """Let Sam answer a typed ask with a key, in digits."""
        holder = party(context.holder, context.holder_generation)
        key = context.session_key(holder.key("ticket"))
        return ref.typed_answer(phone.party.key("answer"), whole, context, key)

    def type_answer(self, phone: Phone, answer: int, result: str, digits: str = "") -> Key | None:
        """Let a phone take an answer that is typed, as its digits are or with a slip."""
        came, key = phone.type_answer(answer)
        assert came == result, (self.note, len(self.steps), came, result)
        expect: Line = {"result": result}
        if result == "kept" and key is not None:
            expect |= {"key": place_of(key.context), "kcv": ref.kcv(key.octets)}
        self.step(phone, "typed_answer", expect, digits=digits or digits_of("answer", answer))
        return key

    def show(self, phone: Phone, key: Key, *, sealed: bool = False) -> int:
        """Let the asker's phone show the ticket of its newest key."""
        context = key.context
        assert phone.own[context.holder][-1] is key, (self.note, len(self.steps))
        if sealed:
            shown = context.header() << 176 | int.from_bytes(key.sealed, "big")
        else:
            shown = context.ticket(key.octets)
        self.step(
            phone,
            "show",
            {"digits": digits_of("sealed" if sealed else "ticket", shown)},
            holder=context.holder,
            sealed=sealed,
        )
        return shown

    def respond(self, phone: Phone, holder: Party, challenge: int, *, good: bool = True) -> int:
        """Let the asker's phone answer a challenge."""
        came = phone.respond(holder.number, challenge)
        assert (came is not None) == good, (self.note, len(self.steps))
        expect = {"result": "refused"} if came is None else {"digits": digits_of("confirm", came)}
        digits = digits_of("request", challenge)
        self.step(phone, "respond", expect, holder=holder.number, digits=digits)
        return came or 0

    # The holder's steps

    def enter(self, phone: Phone, asker: Party, ticket: int, result: str, **how: Any) -> None:
        """Let the holder's phone take a ticket, as its digits are or as somebody misheard them."""
        sealed = how.get("sealed", False)
        came = phone.enter(asker.number, ticket, sealed=sealed)
        assert came == result, (self.note, len(self.steps), came, result)
        expect: Line = {"result": result}
        if result in {"taken", "resumed"}:
            keys = phone.peers[asker.number].keys
            key = next(key for key in keys if key.context == phone.entered)
            expect |= {"key": place_of(key.context), "kcv": ref.kcv(key.octets)}
        digits = how.get("digits") or digits_of("sealed" if sealed else "ticket", ticket)
        profile = "sealed" if sealed else "ticket"
        self.step(phone, "enter", expect, asker=asker.number, profile=profile, digits=digits)

    def hear(self, phone: Phone, asker: Party, digits: str, result: str) -> None:
        """Let the holder's phone take digits that are no ticket's."""
        self.step(
            phone, "enter", {"result": result}, asker=asker.number, profile="ticket", digits=digits
        )

    def challenge(self, phone: Phone, context: Context, *, good: bool = True) -> int:
        """Let the holder's phone make a challenge under its highest key of an asker."""
        assert phone.peers[context.asker].keys[-1].context == context, (self.note, len(self.steps))
        came = phone.challenge(context.asker)
        assert (came is not None) == good, (self.note, len(self.steps))
        expect = {"result": "refused"} if came is None else {"digits": digits_of("request", came)}
        self.step(phone, "challenge", expect, asker=context.asker)
        return came or 0

    def confirm(self, phone: Phone, context: Context, confirmation: int, result: str) -> None:
        """Let the holder's phone judge a confirmation of the key it challenged last."""
        came = phone.confirm(context.asker, confirmation)
        assert came == result, (self.note, len(self.steps), came, result)
        digits = digits_of("confirm", confirmation)
        self.step(phone, "confirm", {"result": result}, asker=context.asker, digits=digits)

    def confirmed(self, asker: Phone, holder: Phone, context: Context) -> None:
        """Go through a good confirmation."""
        challenge = self.challenge(holder, context)
        confirmation = self.respond(asker, holder.party, challenge)
        self.confirm(holder, context, confirmation, "confirmed")

    def offer(self, phone: Phone, asker: Party, nonce: int) -> None:
        """Let the holder's phone hand out J."""
        phone.nonces[asker.number] = nonce
        expect = {"digits": digits_of("request", nonce)}
        self.step(phone, "offer", expect, asker=asker.number, draw=payload(nonce, 26))

    def withdraw(self, phone: Phone, asker: Party) -> None:
        """Let the holder's phone take J back."""
        del phone.nonces[asker.number]
        self.step(phone, "withdraw", {}, asker=asker.number)

    # What can be seen

    def look(self, phone: Phone, other: Party, *, asking: bool = False) -> None:
        """Look at the keys a phone holds with another, and at its week and epoch."""
        held = phone.own[other.number] if asking else phone.peers.get(other.number, Peer()).keys
        expect = {
            "week": phone.week,
            "epoch": phone.epoch,
            "keys": [place_of(key.context) for key in held],
        }
        side = {"holder": other.number} if asking else {"asker": other.number}
        self.step(phone, "look", expect, **side)


def place_of(context: Context) -> Place:
    """Name a key among those of its pair: the asker's generation, epoch and n."""
    return context.place


Tale = Callable[[Story], None]
TALES: list[Tale] = []


def tale(told: Tale) -> Tale:
    """Put a story into the file; its first line is the note."""
    TALES.append(told)
    return told


def ticket(asker: Party, holder: Party, n: int, expiry: int = 200, **values: int | None) -> int:
    """Give a derived ticket's payload without telling how its asker came by it."""
    context = issued(asker, holder, n, expiry, **values)
    return context.ticket(context.session_key(holder.key("ticket")))
