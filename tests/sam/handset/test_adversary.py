"""The guarantee against an adversary who is the network, and one of the parties.

The adversary carries every message and every spoken code where and as often as it likes, types
what it likes into any phone, cuts the power of any phone at any moment, and knows all the keys of
one party. It never gets further than the specification says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dtns.codecs.digits import PROFILES, Status, encode, show
from dtns.sam.errors import SimFileError
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.guesses import BUDGET, STRANGERS_BUDGET
from dtns.sam.handset.state import MAX_ASKS, MAX_KEYS_A_PEER, MAX_PEERS, Peer, State
from dtns.sam.handset.tickets import Shown
from dtns.sam.issuing.issuer import Answer
from dtns.sam.protocol import confirmation
from dtns.sam.protocol.answer import Grant, Refusal, read_answer
from dtns.sam.protocol.ask import Ask, Form, Seen, read_ask
from dtns.sam.protocol.session import Context, Direction, Party
from dtns.sam.protocol.ticket import ticket
from dtns.sam.protocol.wire import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sam.conftest import World

    from dtns.sam.handset.handset import Handset
    from dtns.sam.protocol.primitives import Key

Identity = tuple[Party, Party, int, int]

HONEST = 3
PICK = st.integers(0, 10_000)
WISHES = st.builds(
    Wish,
    limit=st.sampled_from([0, 3, 31]),
    direction=st.sampled_from(Direction),
    form=st.sampled_from(Form),
    life=st.sampled_from([0, 1, 40, 255]),
)
SLIP = st.none() | st.tuples(st.integers(0, 99), st.integers(1, 9))


def identity(context: Context) -> Identity:
    """Return what Sam must issue one key for at most."""
    return context.asker, context.holder, context.epoch, context.n


class Adversary(RuleBasedStateMachine):
    """Three honest parties, a corrupt one, and everything in between."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.phones = [world.phone() for _ in range(HONEST + 1)]
        self.corrupt = self.phones[-1]
        self.everyone = [phone.sim.number for phone in self.phones]
        self.sims = {phone.sim.party: phone for phone in self.phones}
        self.asks: list[str] = []
        self.answers: list[str] = []
        self.codes: list[str] = ["0000 0000"]
        self.issued: dict[Identity, tuple[Context, Key]] = {}
        self.granted: dict[tuple[Party, int], str] = {}
        self.responses: dict[Party, set[str]] = {party: set() for party in self.sims}
        self.challenges: set[tuple[Party, Context, int]] = set()
        self.confirmed: dict[tuple[Party, str], tuple[int, int, int]] = {}
        self.looked_at: dict[Party, int] = {}

    def phone(self, pick: int) -> Handset:
        """Return one of the phones; the SIMs that were replaced still work."""
        return self.phones[pick % len(self.phones)]

    def number(self, pick: int) -> Any:
        """Return the number of anyone."""
        return self.everyone[pick % len(self.everyone)]

    def on(self, phone: Handset, step: Callable[[], Any]) -> Any:
        """Do a step on a phone, whose power may go; then it starts again from what it kept."""
        try:
            return step()
        except SimFileError:
            return None
        finally:
            phone.card.keeps_left = None

    # Sam and the network

    @rule(asker=PICK, holder=PICK, wish=WISHES, anew=st.booleans())
    def ask(self, asker: int, holder: int, wish: Wish, *, anew: bool) -> None:
        """Someone asks for a key."""
        phone, number = self.phone(asker), self.number(holder)
        known = phone.card.state.counter
        asked = self.on(phone, lambda: phone.ask(number, wish, self.world.now, anew=anew))
        if isinstance(asked, Asked):
            assert not anew or asked.counter == known + 1
            self.asks.append(asked.text)

    @rule(holder=PICK, stranger=PICK, counter=st.integers(1, 90), told=PICK, wish=WISHES)
    def forge_ask(self, holder: int, stranger: int, counter: int, told: int, wish: Wish) -> None:
        """The corrupt party asks under any counter, in any name, and says it has seen anything."""
        mine = [key for keys in self.corrupt.card.state.asked.values() for key in keys]
        witness = mine[told % len(mine)].witness if mine else bytes(6)
        party = self.phone(stranger).sim.party if stranger % 4 == 0 else self.corrupt.sim.party
        request = Ask(
            asker=party,
            counter=counter,
            holder=self.number(holder),
            limit=wish.limit,
            direction=wish.direction,
            form=wish.form,
            life=wish.life,
            seen=Seen(told % 5, told % 256, witness),
        )
        self.asks.append(to_text(request.seal(self.corrupt.sim.keys.ask)))

    @precondition(lambda self: self.asks)
    @rule(pick=PICK, damage=SLIP)
    def tell_sam(self, pick: int, damage: tuple[int, int] | None) -> None:
        """The network brings Sam an ask: an old one, a new one, or a damaged one."""
        text = _damaged(self.asks[-1 - pick % len(self.asks)], damage)
        answer = self.world.tell(text)
        if isinstance(answer, Answer):
            self.note(text, answer)

    def note(self, asked: str, answer: Answer) -> None:
        """Note what Sam answered, and hold it to what it answered before."""
        request = read_ask(asked).ask
        sim = self.sims[request.asker].sim
        assert answer.recipient == sim.number
        opened = read_answer(answer.text).open(sim.keys.answer, from_text(asked))
        assert opened is not None
        assert len(answer.text) <= 160
        self.answers.append(answer.text)
        if isinstance(opened, Refusal):
            return
        first = self.granted.setdefault((request.asker, request.counter), answer.text)
        assert first == answer.text, "one counter was answered with two grants"
        context = _context(request, opened)
        content = (context, opened.session)
        known = self.issued.setdefault(identity(context), content)
        assert known == content, "one n was issued with two contents"

    @precondition(lambda self: self.answers)
    @rule(pick=PICK, phone=PICK, damage=SLIP)
    def deliver(self, pick: int, phone: int, damage: tuple[int, int] | None) -> None:
        """The network brings any answer to any phone, in any order and as often as it likes."""
        receiver = self.phone(phone)
        text = _damaged(self.answers[-1 - pick % len(self.answers)], damage)
        self.on(receiver, lambda: receiver.receive(text))

    @rule(asker=PICK, holder=PICK, wish=WISHES)
    def be_served(self, asker: int, holder: int, wish: Wish) -> None:
        """For once the network does what it should."""
        self.ask(asker, holder, wish, anew=True)
        if self.asks:
            self.tell_sam(0, None)
            self.deliver(0, asker, None) if self.answers else None

    # People and what they say to each other

    @rule(phone=PICK, holder=PICK, sealed=st.booleans(), parity=st.sampled_from([None, 1, 3]))
    def show(self, phone: int, holder: int, parity: int | None, *, sealed: bool) -> None:
        """Someone reads out a ticket, and everyone hears it."""
        shown = self.phone(phone).ticket(self.number(holder), sealed=sealed, parity=parity)
        if isinstance(shown, Shown):
            self.codes.append(shown.digits)

    @rule(phone=PICK, asker=PICK, pick=PICK, slip=SLIP)
    def enter(self, phone: int, asker: int, pick: int, slip: tuple[int, int] | None) -> None:
        """Someone types any code as anyone's ticket."""
        holder, number = self.phone(phone), self.number(asker)
        before = holder.card.state.peers.get(number, Peer())
        entry = _slipped(self.codes[-1 - pick % len(self.codes)], slip)
        entered = self.on(holder, lambda: holder.enter(number, entry))
        if entered is None or entered.key is None:
            return
        known = before.key(entered.key.order)
        if known is not None:
            assert entered.key == known, "a ticket typed again reset something"
        else:
            assert entered.key.order > before.mark
            assert before.nonce in (None, entered.key.context.nonce)
        assert entered.key in holder.card.state.peers[number].held

    @rule(phone=PICK, asker=PICK)
    def challenge(self, phone: int, asker: int) -> None:
        """Someone makes a challenge, and everyone hears it."""
        holder, number = self.phone(phone), self.number(asker)
        code = self.on(holder, lambda: holder.challenge(number))
        if isinstance(code, Code):
            key = holder.card.state.peers[number].held[-1]
            made = (holder.sim.party, key.context, key.challenged)
            assert made not in self.challenges, "one count was used for two challenges"
            self.challenges.add(made)
            self.codes.append(code.digits)

    @rule(phone=PICK, holder=PICK, pick=PICK, slip=SLIP)
    def respond(self, phone: int, holder: int, pick: int, slip: tuple[int, int] | None) -> None:
        """Someone answers any code as a challenge, and everyone hears it."""
        asker, number = self.phone(phone), self.number(holder)
        entry = _slipped(self.codes[-1 - pick % len(self.codes)], slip)
        code = self.on(asker, lambda: asker.respond(number, entry))
        if isinstance(code, Code):
            self.responses[asker.sim.party].add(code.digits)
            self.codes.append(code.digits)

    @rule(phone=PICK, asker=PICK, pick=PICK, slip=SLIP)
    def check(self, phone: int, asker: int, pick: int, slip: tuple[int, int] | None) -> None:
        """Someone checks any code as a response; what is confirmed was answered by its asker."""
        holder, number = self.phone(phone), self.number(asker)
        entry = _slipped(self.codes[-1 - pick % len(self.codes)], slip)
        verdict = self.on(holder, lambda: holder.check(number, entry))
        if verdict is None or verdict.status is not Status.ACCEPTED:
            return
        party = verdict.key.context.asker
        assert party == self.corrupt.sim.party or entry in self.responses[party]
        pair = (holder.sim.party, number)
        assert verdict.key.order >= self.confirmed.get(pair, (0, 0, 0)), "an older key came after"
        self.confirmed[pair] = verdict.key.order

    @rule(asker=PICK, holder=PICK)
    def meet(self, asker: int, holder: int) -> None:
        """Two people do what they should, with whatever is on their phones."""
        self.show(asker, holder, None, sealed=False)
        one, other = self.phone(asker), self.phone(holder)
        numbers = [one.sim.number, other.sim.number]
        self.enter(holder, self.everyone.index(numbers[0]), 0, None)
        self.challenge(holder, self.everyone.index(numbers[0]))
        self.respond(asker, self.everyone.index(numbers[1]), 0, None)
        self.check(holder, self.everyone.index(numbers[0]), 0, None)

    @rule(phone=PICK, asker=PICK, forget=st.booleans())
    def hand_out_nonce(self, phone: int, asker: int, *, forget: bool) -> None:
        """Someone hands out a nonce or takes it back; the corrupt party asks with it at once."""
        holder, number = self.phone(phone), self.number(asker)
        if forget:
            self.on(holder, lambda: holder.forget_nonce(number))
        elif self.on(holder, lambda: holder.nonce(number)):
            nonce = holder.card.state.peers[number].nonce
            wish = Wish(nonce=nonce)
            asking = next(p for p in reversed(self.phones) if p.sim.number == number)
            asked = self.on(asking, lambda: asking.ask(holder.sim.number, wish, self.world.now))
            if isinstance(asked, Asked):
                self.asks.append(asked.text)

    # What the corrupt party can do with its keys, and fate with the rest

    @rule(pick=PICK, twist=st.integers(0, 5), count=st.integers(0, 1023))
    def forge_code(self, pick: int, twist: int, count: int) -> None:
        """The corrupt party makes any code, of any context, under any key that it knows."""
        state = self.corrupt.card.state
        keys = [key for keys in state.asked.values() for key in keys]
        keys += [key for peer in state.peers.values() for key in peer.held]
        if not keys:
            return
        key = keys[pick % len(keys)]
        context, other = key.context, self.phone(pick).sim.party
        twisted = [
            context,
            evolve(context, n=context.n % 255 + 1),
            evolve(context, terms=evolve(context.terms, limit=31)),
            evolve(context, holder=other),
            evolve(context, asker=other),
            evolve(context, epoch=context.epoch + 1),
        ][twist]
        bits = confirmation.challenge(key.session, twisted, count)
        self.codes.append(show(encode(PROFILES["request"], bits)))
        bits = confirmation.confirmation(key.session, twisted, count)
        self.codes.append(show(encode(PROFILES["confirm"], bits)))
        self.codes.append(show(encode(PROFILES["ticket"], ticket(key.session, twisted))))

    @rule(phone=PICK, keeps=st.integers(0, 1))
    def cut_power(self, phone: int, keeps: int) -> None:
        """The power of a phone will go at the next keep, or the one after."""
        self.phone(phone).card.keeps_left = keeps

    @precondition(lambda self: len(self.phones) < HONEST + 4)
    @rule(pick=PICK)
    def renew(self, pick: int) -> None:
        """A number gets a new SIM; the old one stays in someone's drawer."""
        place = pick % HONEST
        number = self.everyone[place]
        newest = max(
            (p for p in self.phones if p.sim.number == number), key=lambda p: p.sim.generation
        )
        phone = self.world.renewed(newest)
        self.phones.insert(0, phone)
        self.sims[phone.sim.party] = phone
        self.responses[phone.sim.party] = set()

    @precondition(lambda self: self.world.epoch < 7)
    @rule()
    def raise_epoch(self) -> None:
        """Sam begins a new incarnation."""
        self.world.raise_epoch()

    @precondition(lambda self: self.world.week < 700)
    @rule(weeks=st.sampled_from([0, 1, 3, 30, 60]))
    def pass_weeks(self, weeks: int) -> None:
        """Time goes by."""
        self.world.pass_weeks(weeks)

    @rule(pick=PICK, suspended=st.booleans())
    def suspend(self, pick: int, *, suspended: bool) -> None:
        """The operator suspends a party, or lets it back in."""
        self.world.suspend(self.phones[pick % len(self.phones)], suspended=suspended)

    # What must hold whatever they do

    @invariant()
    def every_key_was_issued(self) -> None:
        """A key is on a phone only if Sam issued it to this pair, and then it is Sam's."""
        for phone in self.phones:
            state, party = phone.card.state, phone.sim.party
            for number, keys in state.asked.items():
                assert len(keys) <= MAX_KEYS_A_PEER
                for key in keys:
                    assert (key.context.asker, key.context.holder.number) == (party, number)
                    assert self.issued[identity(key.context)] == (key.context, key.session)
            for number, peer in state.peers.items():
                assert len(peer.held) <= MAX_KEYS_A_PEER
                for key in peer.held:
                    assert (key.context.holder, key.context.asker.number) == (party, number)
                    assert self.issued[identity(key.context)] == (key.context, key.session)

    @invariant()
    def nothing_ever_falls(self) -> None:
        """From each kept state to the next, what must rise has not fallen."""
        for phone in self.phones:
            history = phone.card.history
            seen = self.looked_at.get(phone.sim.party, 1)
            for old, new in zip(history[seen - 1 :], history[seen:], strict=False):
                _compare(old, new)
            self.looked_at[phone.sim.party] = len(history)

    @invariant()
    def sam_is_never_behind(self) -> None:
        """Sam's store was never put back, and nobody can make it believe so."""
        with self.world.store.transaction():
            assert not self.world.store.behind


def _compare(old: State, new: State) -> None:
    assert new.party == old.party
    for name in ("week", "epoch", "floor", "counter"):
        assert getattr(new, name) >= getattr(old, name), name
    account = new.guesses
    assert 0 <= account.strangers <= account.spent <= BUDGET
    assert account.strangers <= STRANGERS_BUDGET
    assert account.since >= old.guesses.since
    assert len(new.asks) <= MAX_ASKS
    assert len(new.peers) <= MAX_PEERS
    for number, peer in old.peers.items():
        later = new.peers.get(number)
        if later is None:
            assert peer.mark == (0, 0, 0) or new.week >= peer.until
            continue
        for name in ("generation", "mark", "dropped", "until"):
            assert getattr(later, name) >= getattr(peer, name), name
        for key in peer.held:
            again = later.key(key.order)
            assert again is None or again.challenged >= key.challenged
    for number, keys in old.asked.items():
        later = {key.context: key for key in new.asked.get(number, ())}
        for key in keys:
            assert key.context not in later or later[key.context].answered >= key.answered


def _context(request: Ask, grant: Grant) -> Context:
    holder = Party(request.holder, grant.holder_generation)
    return Context(request.asker, holder, grant.epoch, grant.n, grant.terms, request.nonce)


def _damaged(text: str, damage: tuple[int, int] | None) -> str:
    if damage is None or damage[0] % 3:
        return text
    place = damage[0] % len(text)
    return text[:place] + "ABCDEFGHIJ"[damage[1]] + text[place + 1 :]


def _slipped(code: str, slip: tuple[int, int] | None) -> str:
    """Return the code with one digit wrong, or as it is."""
    if slip is None or slip[0] % 3:
        return code
    place = slip[0] % len(code)
    if not code[place].isdigit():
        return code
    return code[:place] + str((int(code[place]) + slip[1]) % 10) + code[place + 1 :]


QUICK = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_the_guarantee(make_world: Callable[..., World]) -> None:
    """Whatever the adversary does, nothing is accepted that should not be, and nothing raises."""
    run_state_machine_as_test(lambda: Adversary(make_world()), settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_guarantee_at_length(make_world: Callable[..., World]) -> None:
    """The same with many more adversaries, each time others, and with more patience."""
    longer = settings(QUICK, max_examples=800, stateful_step_count=120, derandomize=False)
    run_state_machine_as_test(lambda: Adversary(make_world()), settings=longer)
