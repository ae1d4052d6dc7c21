"""A second phone: the rules of sections 6, 9, 10 and 11 of sam/README.md over payloads, in memory.

It judges what the digits say, never the digits: reading them is the codec's business, and the
account of guesses is left out, as no story comes near its bound.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from reference import Ask, Context, Party, aes_back, kdf

KEYS_A_PAIR = 4
BAD_CODES = 10
PEERS = 256
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
    keys: list[Key] = field(default_factory=list)
    last_expiry: int = 0


@dataclass
class Phone:
    """One SIM, on both sides of the protocol."""

    party: Party
    week: int
    epoch: int
    floor: int
    counter: int = 0
    asks: dict[int, Ask] = field(default_factory=dict)
    brought: set[int] = field(default_factory=set)
    own: dict[str, list[Key]] = field(default_factory=lambda: defaultdict(list))
    peers: dict[str, Peer] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)

    # The asker's side

    def ask(self, holder: str, **wishes: int | None) -> bytes:
        """Make the next ask."""
        self.counter += 1
        made = Ask(self.party.number, self.party.generation, self.counter, holder)
        made = replace(made, **wishes)  # type: ignore[arg-type]
        if self.own[holder]:
            last = max(self.own[holder], key=later)
            made = replace(
                made,
                seen_epoch=last.context.epoch,
                seen_n=last.context.n,
                seen_witness=last.witness,
            )
        self.asks[self.counter] = made
        return made.octets(self.party.key("ask"))

    def refused(self, counter: int, week: int) -> str:
        """Take a refusal."""
        self.week = max(self.week, week)
        return "nothing" if counter in self.brought else "refused"

    def granted(self, counter: int, key: Key, week: int) -> str:
        """Take a grant."""
        self.week = max(self.week, week)
        self.epoch = max(self.epoch, key.context.epoch)
        if counter in self.brought:
            return "nothing"
        self.brought.add(counter)
        keys = self.own[key.context.holder]
        if any(other.confirmed and later(other) > later(key) for other in keys):
            return "dropped"
        keys.append(key)
        keys.sort(key=later)
        if len(keys) > KEYS_A_PAIR:
            keys.remove(next(other for other in keys if not other.confirmed))
        return "kept"

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
                return self.judged(asker, peer, context, key)
        return "unproven"

    def readings(self, asker: str, peer: Peer, header: int) -> list[Context]:
        """Give every context that a header may stand for, the likely ones first."""
        direction, limit_class = header & 1, header >> 1 & 31
        expiry, n, epoch, generation = (
            header >> 6 & 255,
            header >> 14 & 255,
            header >> 22 & 3,
            header >> 24,
        )
        generation = peer.generation + (generation - peer.generation) % 4
        epoch = self.epoch - 1 + (epoch - self.epoch + 1) % 4
        expiry = self.week + 1 + (expiry - self.week - 1) % 256
        if n == 0 or epoch <= 0:
            return []
        one = Context(
            asker, generation, self.party.number, self.party.generation, epoch, n, expiry,
            limit_class, direction, self.nonces.get(asker),
        )  # fmt: skip
        held = {key.context.nonce for key in peer.keys if key.context.place == one.place}
        return [
            replace(one, nonce=nonce, expiry=one.expiry - back)
            for nonce in [one.nonce, *(held - {one.nonce})]
            for back in (0, 256)
            if one.expiry >= back
        ]

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
        if asker not in self.peers and self.full():
            return "full"
        if held:
            return "resumed" if held[0].context == context else "conflict"
        if context.place <= peer.mark:
            return "superseded"
        self.take(asker, peer, key)
        return "taken"

    def full(self) -> bool:
        """Tell whether there is no room for a stranger, dropping marks that are old enough."""
        return len(self.peers) >= PEERS

    def take(self, asker: str, peer: Peer, key: Key) -> None:
        """Put a new key beside the others."""
        self.peers[asker] = peer
        if key.context.nonce is not None:
            del self.nonces[asker]
        peer.generation = max(peer.generation, key.context.asker_generation)
        self.epoch = max(self.epoch, key.context.epoch)
        self.week = max(self.week, key.context.expiry - LONGEST_LIFE)
        peer.keys.append(key)
        peer.keys.sort(key=lambda other: other.context.place)
        if len(peer.keys) > KEYS_A_PAIR:
            peer.keys.remove(next(other for other in peer.keys if not other.confirmed))

    def held(self, asker: str, place: tuple[int, int, int]) -> Key:
        """Find a key by its generation, epoch and n."""
        return next(key for key in self.peers[asker].keys if key.context.place == place)

    def challenge(self, asker: str, place: tuple[int, int, int]) -> int | None:
        """Make M4 under a key, unless it has ended."""
        key = self.held(asker, place)
        if key.bad >= BAD_CODES:
            return None
        key.count += 1
        key.open = True
        return key.context.challenge(key.octets, key.count)

    def confirm(self, asker: str, place: tuple[int, int, int], confirmation: int) -> str:
        """Judge M5 under the key that was challenged."""
        key = self.held(asker, place)
        if key.bad >= BAD_CODES or not key.open:
            return "refused"
        if key.context.confirmation(key.octets, key.count) != confirmation:
            key.bad += 1
            return "wrong"
        key.open = False
        key.confirmed = True
        peer = self.peers[asker]
        peer.mark = max(peer.mark, place)
        peer.keys = [other for other in peer.keys if other.context.place >= peer.mark]
        return "confirmed"


def later(key: Key) -> tuple[int, int, int]:
    """Order an asker's keys with one holder."""
    return key.context.holder_generation, key.context.epoch, key.context.n


def unsealed(context: Context, block: bytes, seal_key: bytes) -> bytes:
    """Decrypt the block of a sealed ticket."""
    return aes_back(kdf(seal_key, 0x21, context.octets()), block)
