"""A second phone: the rules of sections 6, 9, 10 and 11 of sam/README.md over payloads, in memory.

It judges what the digits say, never the digits: reading them is the codec's business, and the
account of guesses is left out, as no story comes near its bound.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from blocks import aes_back, kdf
from reference import Ask, Context, Party, typed_answer, typed_ask, typed_ask_body

KEYS_A_PAIR = 4
BAD_CODES = 10
PEERS = 256
TYPED_ASKS = 8
STRANGERS_GENERATIONS = 16
LONGEST_LIFE = 104


@dataclass
class Key:
    """A key as either side holds it."""

    context: Context
    octets: bytes
    witness: bytes = bytes(6)
    sealed: bytes = b""
    derived: bool = True
    count: int = 0
    open: bool = False
    bad: int = 0
    confirmed: bool = False


@dataclass
class Peer:
    """What a holder remembers of one asker."""

    generation: int = 1
    mark: tuple[int, int, int] = (0, 0, 0)
    dropped: tuple[int, int, int] = (0, 0, 0)
    until: int = 0
    keys: list[Key] = field(default_factory=list)


@dataclass
class Phone:
    """One SIM, on both sides of the protocol."""

    party: Party
    week: int
    epoch: int
    floor: int
    counter: int = 0
    synced: int = 0
    asks: dict[int, Ask] = field(default_factory=dict)
    typed: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    brought: set[int] = field(default_factory=set)
    own: dict[str, list[Key]] = field(default_factory=lambda: defaultdict(list))
    peers: dict[str, Peer] = field(default_factory=dict)
    entered: Context | None = None
    nonces: dict[str, int] = field(default_factory=dict)

    def hear(self, week: int) -> None:
        """Learn a week, and forget the keys that have expired."""
        self.week = max(self.week, week)
        for keys in [*self.own.values(), *(peer.keys for peer in self.peers.values())]:
            keys[:] = [key for key in keys if key.context.expiry > self.week]
        for number, peer in list(self.peers.items()):
            risen = peer.generation > 1 or max(peer.mark, peer.dropped) > (0, 0, 0)
            needed = risen and self.week < peer.until
            if not peer.keys and number not in self.nonces and not needed:
                del self.peers[number]

    # The asker's side

    def ask(self, holder: str, **wishes: int | None) -> bytes:
        """Make the next ask."""
        self.counter += 1
        made = Ask(self.party.number, self.party.generation, self.counter, holder)
        made = replace(made, synced=self.synced, **wishes)  # type: ignore[arg-type]
        witnessed = [key for key in self.own[holder] if key.witness]
        if witnessed:
            last = max(witnessed, key=later)
            made = replace(
                made,
                seen_epoch=last.context.epoch,
                seen_n=last.context.n,
                seen_witness=last.witness,
            )
        self.asks[self.counter] = made
        return made.octets(self.party.key("ask"))

    def type_ask(self, holder: str) -> bytes:
        """Make the next ask, to be typed."""
        self.counter += 1
        number, generation = self.party.number, self.party.generation
        body = typed_ask_body(number, generation, self.counter, holder)
        whole = typed_ask(self.party.key("ask"), body)
        self.typed[self.counter] = holder, whole
        return whole

    def type_answer(self, payload: int) -> tuple[str, Key | None]:
        """Take an answer that is typed, on the latest typed asks."""
        for counter in sorted(self.typed, reverse=True)[:TYPED_ASKS]:
            holder, whole = self.typed[counter]
            context = self.answered(holder, payload >> 173, payload >> 168 & 31)
            key = self.unlocked(context, whole, payload) if context else None
            if key is not None:
                return self.granted(counter, key, key.context.expiry - LONGEST_LIFE), key
        return "unproven", None

    def answered(self, holder: str, header: int, generation: int) -> Context | None:
        """Give the one context that an answer to an ask for a holder may stand for."""
        known = self.peers.get(holder, Peer()).generation
        known = max([known, *(key.context.holder_generation for key in self.own[holder])])
        n, expiry = header >> 14 & 255, header >> 6 & 255
        epoch = self.epoch - 1 + ((header >> 22 & 3) - self.epoch + 1) % 4
        if header >> 24 != self.party.generation % 4 or n == 0 or epoch <= 0:
            return None
        return Context(
            self.party.number, self.party.generation, holder,
            known + (generation - known) % 32, epoch, n,
            self.week + 1 + (expiry - self.week - 1) % 256, header >> 1 & 31, header & 1, None,
        )  # fmt: skip

    def unlocked(self, context: Context, whole: bytes, payload: int) -> Key | None:
        """Give the key in an answer that is typed, if its tag is good for this ask and context."""
        answer_key = self.party.key("answer")
        block = (payload >> 40 & ((1 << 128) - 1)).to_bytes(16, "big")
        octets = aes_back(kdf(answer_key, 0x15, whole + context.octets()), block)
        good = typed_answer(answer_key, whole, context, octets) == payload
        return Key(context, octets, witness=b"") if good else None

    def refused(self, week: int) -> str:
        """Take a refusal, which takes away nothing."""
        self.hear(week)
        return "refused"

    def granted(self, counter: int, key: Key, week: int) -> str:
        """Take a grant."""
        self.hear(week)
        self.epoch = max(self.epoch, key.context.epoch)
        if counter in self.brought:
            return "nothing"
        self.brought.add(counter)
        keys = self.own[key.context.holder]
        if any(other.confirmed and later(other) > later(key) for other in keys):
            return "dropped"
        if key.context.expiry <= self.week:
            return "dropped"
        keys.append(key)
        keys.sort(key=later)
        if len(keys) > KEYS_A_PAIR:
            keys.remove(next(other for other in keys if not other.confirmed))
        return "kept" if key in keys else "dropped"

    def respond(self, holder: str, challenge: int) -> int | None:
        """Answer M4, or not."""
        count = challenge >> 16
        for key in reversed(self.own[holder]):
            if key.bad >= BAD_CODES or count < key.count or count == 0:
                continue
            if key.context.challenge(key.octets, count) != challenge:
                key.bad += 1
                continue
            key.count = count
            key.confirmed = True
            self.own[holder] = [other for other in self.own[holder] if later(other) >= later(key)]
            return key.context.confirmation(key.octets, count)
        return None

    # The holder's side

    def enter(self, asker: str, payload: int, *, sealed: bool = False) -> str:
        """Take a ticket, and tell what became of it."""
        peer = self.peers.get(asker, Peer())
        for context in self.readings(asker, peer, payload >> (176 if sealed else 40)):
            key = self.opened(context, payload, sealed=sealed)
            if key is not None:
                self.entered = context
                return self.judged(asker, peer, context, key)
        return "unproven"

    def readings(self, asker: str, peer: Peer, header: int) -> list[Context]:
        """Give every context that a header may stand for, the likely ones first."""
        n, expiry = header >> 14 & 255, header >> 6 & 255
        epoch = self.epoch - 1 + ((header >> 22 & 3) - self.epoch + 1) % 4
        expiry = self.week + 1 + (expiry - self.week - 1) % 256
        if n == 0 or epoch <= 0:
            return []
        direction, limit_class = header & 1, header >> 1 & 31
        first = peer.generation + ((header >> 24) - peer.generation) % 4
        last = first if asker in self.peers else STRANGERS_GENERATIONS
        return [
            Context(
                asker, generation, self.party.number, self.party.generation, epoch, n,
                expiry - back, limit_class, direction, nonce,
            )
            for generation in range(first, last + 1, 4)
            for nonce in self.nonces_of(asker, peer, (generation, epoch, n))
            for back in (0, 256)
            if expiry >= back
        ]  # fmt: skip

    def nonces_of(self, asker: str, peer: Peer, place: tuple[int, int, int]) -> list[int | None]:
        """Give what J may be: the one that is out, and that of the key held in this place."""
        held = {key.context.nonce for key in peer.keys if key.context.place == place}
        out = self.nonces.get(asker)
        return [out, *(held - {out})]

    def opened(self, context: Context, payload: int, *, sealed: bool) -> Key | None:
        """Give the key of a ticket if its tag is good under one context."""
        if not sealed:
            octets = context.session_key(self.party.key("ticket"))
            return Key(context, octets) if context.ticket(octets) == payload else None
        seal_key = self.party.key("seal")
        block = (payload >> 48 & ((1 << 128) - 1)).to_bytes(16, "big")
        if context.sealed_tag(block, seal_key) != payload & ((1 << 48) - 1):
            return None
        return Key(context, unsealed(context, block, seal_key))

    def judged(self, asker: str, peer: Peer, context: Context, key: Key) -> str:
        """Apply the holder's rule to a ticket whose tag is good."""
        held = [other for other in peer.keys if other.context.place == context.place]
        if context.expiry <= self.week:
            return "expired"
        if context.epoch < self.floor:
            return "floor"
        if asker not in self.peers and len(self.peers) >= PEERS:
            return "full"
        if held:
            return "resumed" if held[0].context == context else "conflict"
        refused = self.outranked(peer, context)
        if not refused:
            self.take(asker, peer, key)
        return refused or "taken"

    def outranked(self, peer: Peer, context: Context) -> str:
        """Tell why a new key is too low, if it is."""
        if context.place <= max(peer.mark, peer.dropped):
            return "superseded"
        below = [
            key for key in peer.keys if not key.confirmed and key.context.place < context.place
        ]
        return "crowded" if len(peer.keys) >= KEYS_A_PAIR and not below else ""

    def take(self, asker: str, peer: Peer, key: Key) -> None:
        """Put a new key beside the others."""
        self.peers[asker] = peer
        if key.context.nonce is not None:
            del self.nonces[asker]
        peer.generation = max(peer.generation, key.context.asker_generation)
        self.epoch = max(self.epoch, key.context.epoch)
        peer.until = max(peer.until, key.context.expiry + LONGEST_LIFE)
        peer.keys.append(key)
        peer.keys.sort(key=lambda other: other.context.place)
        if len(peer.keys) > KEYS_A_PAIR:
            lowest = next(other for other in peer.keys if not other.confirmed)
            peer.dropped = max(peer.dropped, lowest.context.place)
            peer.keys.remove(lowest)
        self.hear(key.context.expiry - LONGEST_LIFE)

    def challenge(self, asker: str) -> int | None:
        """Make M4 under the highest key, unless it has ended."""
        key = self.peers[asker].keys[-1]
        if key.bad >= BAD_CODES:
            return None
        for other in self.peers[asker].keys:
            other.open = other is key
        key.count += 1
        return key.context.challenge(key.octets, key.count)

    def confirm(self, asker: str, confirmation: int) -> str:
        """Judge M5 under the key that was challenged."""
        peer = self.peers[asker]
        key = next((key for key in peer.keys if key.open), None)
        if key is None or key.bad >= BAD_CODES:
            return "refused"
        if key.context.confirmation(key.octets, key.count) != confirmation:
            key.bad += 1
            return "wrong"
        key.open = False
        key.confirmed = True
        peer.mark = max(peer.mark, key.context.place)
        peer.keys = [other for other in peer.keys if other.context.place >= peer.mark]
        return "confirmed"


def later(key: Key) -> tuple[int, int, int]:
    """Order an asker's keys with one holder."""
    return key.context.holder_generation, key.context.epoch, key.context.n


def unsealed(context: Context, block: bytes, seal_key: bytes) -> bytes:
    """Decrypt the block of a sealed ticket."""
    return aes_back(kdf(seal_key, 0x21, context.octets()), block)
