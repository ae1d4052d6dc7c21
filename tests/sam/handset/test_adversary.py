"""The guarantee against an adversary who is the network, and one of the parties.

The adversary carries every message and every spoken code where and as often as it likes, types
what it likes into any phone, cuts the power of any phone at any moment, and knows all the keys of
one party. It never gets further than the specification says.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
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
from dtns.sam.protocol.session import NO_ORDER, Context, Direction, Order, Party
from dtns.sam.protocol.ticket import ticket
from dtns.sam.protocol.wire import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

    from dtns.sam.handset.handset import Handset
    from dtns.sam.protocol.octets import Key

Identity = tuple[Party, Party, int, int]
Slip = tuple[int, int]

HONEST = 2
WHO = st.tuples(st.integers(0, HONEST), st.sampled_from([0] * 7 + [1]))
"""A party, and how many SIMs ago."""
OTHER = st.integers(1, HONEST)
"""Another party, counted on from the first."""
MOST_REPLAYED = 12
PICK = st.integers(0, 9)
"""How many messages or codes ago."""
WISHES = st.builds(
    Wish,
    limit=st.sampled_from([0, 3, 31]),
    direction=st.sampled_from(Direction),
    form=st.sampled_from(Form),
    life=st.sampled_from([0, 1, 40, 255]),
)
SLIP = st.tuples(st.integers(0, 99), st.sampled_from([0] * 14 + [1, 5]))
"""The place of a wrong character and how far it is off; mostly nothing is wrong."""


def rarely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw from *strategy* one time in eight, and else None."""
    return st.sampled_from([False] * 7 + [True]).flatmap(lambda now: strategy if now else st.none())


class Spoken(NamedTuple):
    """A code that everyone has heard: what it is, by whom and to whom, as it was meant."""

    kind: str
    digits: str
    by: int
    to: int


class Aim(NamedTuple):
    """Where a code is typed: which one of which pair, whether of its kind, and as it was meant."""

    by: int
    to: int
    pick: int
    fitting: bool
    phone: tuple[int, int] | None
    number: int | None
    slip: Slip


AIM = st.builds(
    Aim,
    by=st.integers(0, HONEST),
    to=st.integers(0, HONEST),
    pick=PICK,
    fitting=st.sampled_from([True] * 7 + [False]),
    phone=rarely(WHO),
    number=rarely(st.integers(0, HONEST)),
    slip=SLIP,
)


def identity(context: Context) -> Identity:
    """Return what Sam must issue one key for at most."""
    return context.asker, context.holder, context.epoch, context.n


class Adversary(RuleBasedStateMachine):
    """Two honest parties with many SIMs, a corrupt one, and everything in between."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.phones = [[world.phone()] for _ in range(HONEST + 1)]
        self.numbers = [sims[0].sim.number for sims in self.phones]
        self.asks: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.codes: list[Spoken] = []
        self.issued: dict[Identity, tuple[Context, Key]] = {}
        self.granted: dict[tuple[Party, int], str] = {}
        self.responses: set[tuple[Party, str]] = set()
        self.challenges: set[tuple[Party, Context, int]] = set()
        self.confirmed: dict[tuple[Party, str], Order] = {}
        self.looked_at: dict[Party, int] = {}

    @property
    def corrupt(self) -> Handset:
        """The phone whose keys the adversary knows."""
        return self.phones[HONEST][0]

    def phone(self, who: tuple[int, int]) -> Handset:
        """Return a party's phone, or one with a SIM of its that was replaced and still works."""
        sims = self.phones[who[0]]
        return sims[max(len(sims) - 1 - who[1], 0)]

    def other(self, who: tuple[int, int], steps: int) -> int:
        """Return the party so many steps on from this one."""
        return (who[0] + steps) % len(self.numbers)

    def on(self, phone: Handset, step: Callable[[], Any]) -> Any:
        """Do a step on a phone, whose power may go; then it starts again from what it kept."""
        try:
            return step()
        except SimFileError:
            return None
        finally:
            phone.card.keeps_left = None

    def aimed(self, kind: str, aim: Aim) -> tuple[Handset, int, str] | None:
        """Return the phone where a code is typed, as whose, and what; None if there is no code."""
        codes = [code for code in self.codes if code.kind == kind or not aim.fitting]
        codes = [code for code in codes if (code.by, code.to) == (aim.by, aim.to)] or codes
        if not codes:
            return None
        code = codes[-1 - aim.pick % len(codes)]
        phone = self.phone((code.to, 0) if aim.phone is None else aim.phone)
        by = code.by if aim.number is None else aim.number
        return phone, by, _slipped(code.digits, aim.slip)

    @initialize(pairs=st.sets(st.tuples(st.integers(0, HONEST), OTHER), min_size=2), wish=WISHES)
    def live(self, pairs: set[tuple[int, int]], wish: Wish) -> None:
        """Some have met before: an old ticket is about, and a later key has been confirmed."""
        for asker, other in sorted(pairs):
            self.be_served((asker, 0), other, Wish(life=255))
            self.meet((asker, 0), other, wish, fresh=True)

    # Sam and the network

    @rule(asker=WHO, other=OTHER, wish=WISHES, anew=st.booleans())
    def ask(self, asker: tuple[int, int], other: int, wish: Wish, *, anew: bool) -> None:
        """Someone asks for a key."""
        phone, number = self.phone(asker), self.numbers[self.other(asker, other)]
        known = phone.card.state.counter
        asked = self.on(phone, lambda: phone.ask(number, wish, self.world.now, anew=anew))
        if isinstance(asked, Asked):
            assert not anew or asked.counter == known + 1
            self.asks.append(asked.text)

    @rule(
        holder=st.integers(0, HONEST),
        name=st.none() | WHO,
        counter=st.integers(1, 90),
        told=st.integers(0, 999),
        wish=WISHES,
    )
    def forge_ask(
        self, holder: int, name: tuple[int, int] | None, counter: int, told: int, wish: Wish
    ) -> None:
        """The corrupt party asks under any counter, in any name, and says it has seen anything."""
        mine = [key for keys in self.corrupt.card.state.asked.values() for key in keys]
        witness = mine[told % len(mine)].witness if mine else bytes(6)
        request = Ask(
            asker=(self.corrupt if name is None else self.phone(name)).sim.party,
            counter=counter,
            holder=self.numbers[holder],
            limit=wish.limit,
            direction=wish.direction,
            form=wish.form,
            life=wish.life,
            seen=Seen(told % 5, told % 256, witness),
        )
        self.asks.append(to_text(request.seal(self.corrupt.sim.keys.ask)))

    @precondition(lambda self: self.asks)
    @rule(pick=PICK, slip=SLIP)
    def tell_sam(self, pick: int, slip: Slip) -> None:
        """The network brings Sam an ask: an old one, a new one, or a damaged one."""
        text = _damaged(self.asks[-1 - pick % len(self.asks)], slip)
        answer = self.world.tell(text)
        if isinstance(answer, Answer):
            self.note(text, answer)

    def note(self, asked: str, answer: Answer) -> None:
        """Note what Sam answered, and hold it to what it answered before."""
        request = read_ask(asked).ask
        party = self.numbers.index(request.asker.number)
        sim = self.phones[party][request.asker.generation - 1].sim
        assert answer.recipient == sim.number
        opened = read_answer(answer.text).open(sim.keys.answer, from_text(asked))
        assert opened is not None
        self.answers.append((answer.text, party))
        if isinstance(opened, Refusal):
            return
        first = self.granted.setdefault((request.asker, request.counter), answer.text)
        assert first == answer.text, "one counter was answered with two grants"
        context = _context(request, opened)
        content = (context, opened.session)
        known = self.issued.setdefault(identity(context), content)
        assert known == content, "one n was issued with two contents"

    @precondition(lambda self: self.answers)
    @rule(pick=PICK, elsewhere=rarely(WHO), slip=SLIP)
    def deliver(self, pick: int, elsewhere: tuple[int, int] | None, slip: Slip) -> None:
        """The network brings an answer to a phone, in any order and as often as it likes."""
        text, to = self.answers[-1 - pick % len(self.answers)]
        receiver = self.phone((to, 0) if elsewhere is None else elsewhere)
        self.on(receiver, lambda: receiver.receive(_damaged(text, slip)))

    @rule(asker=WHO, other=OTHER, wish=WISHES)
    def be_served(self, asker: tuple[int, int], other: int, wish: Wish) -> None:
        """For once the network does what it should, and the ticket is read out."""
        self.ask(asker, other, wish, anew=True)
        if self.asks:
            self.tell_sam(0, (0, 0))
        if self.answers:
            self.deliver(0, asker, (0, 0))
        self.show(asker, other, None, sealed=False)

    # People and what they say to each other

    @rule(
        who=WHO,
        other=OTHER,
        sealed=st.booleans(),
        parity=st.sampled_from([None, 1, 3]),
    )
    def show(self, who: tuple[int, int], other: int, parity: int | None, *, sealed: bool) -> None:
        """Someone reads out a ticket, and everyone hears it."""
        holder = self.other(who, other)
        shown = self.phone(who).ticket(self.numbers[holder], sealed=sealed, parity=parity)
        if isinstance(shown, Shown):
            self.codes.append(Spoken("ticket", shown.digits, who[0], holder))

    @rule(aim=AIM)
    def enter(self, aim: Aim) -> None:
        """Someone types a code as someone's ticket."""
        if aimed := self.aimed("ticket", aim):
            self.type_ticket(*aimed)

    def type_ticket(self, holder: Handset, by: int, entry: str) -> None:
        """Type a ticket, and hold the phone to its rule."""
        number = self.numbers[by]
        before = holder.card.state.peers.get(number, Peer())
        entered = self.on(holder, lambda: holder.enter(number, entry))
        if entered is None or entered.key is None:
            return
        event("a ticket was taken")
        known = before.key(entered.key.order)
        if known is not None:
            assert entered.key == known, "a ticket typed again reset something"
        else:
            assert entered.key.order > before.mark
            confirmed = self.confirmed.get((holder.sim.party, number), NO_ORDER)
            assert entered.key.order > confirmed, "an older key came after"
            assert before.nonce in (None, entered.key.context.nonce)
        assert entered.key in holder.card.state.peers[number].held

    @rule(who=WHO, other=OTHER)
    def challenge(self, who: tuple[int, int], other: int) -> None:
        """Someone makes a challenge, and everyone hears it."""
        asker = self.other(who, other)
        holder, number = self.phone(who), self.numbers[asker]
        code = self.on(holder, lambda: holder.challenge(number))
        if isinstance(code, Code):
            key = holder.card.state.peers[number].held[-1]
            made = (holder.sim.party, key.context, key.challenged)
            assert made not in self.challenges, "one count was used for two challenges"
            self.challenges.add(made)
            self.codes.append(Spoken("challenge", code.digits, who[0], asker))

    @rule(aim=AIM)
    def respond(self, aim: Aim) -> None:
        """Someone answers a code as a challenge, and everyone hears it."""
        if aimed := self.aimed("challenge", aim):
            self.type_challenge(*aimed)

    def type_challenge(self, asker: Handset, by: int, entry: str) -> None:
        """Type a challenge, and tell everyone the response."""
        code = self.on(asker, lambda: asker.respond(self.numbers[by], entry))
        if isinstance(code, Code):
            self.responses.add((asker.sim.party, code.digits))
            speaker = self.numbers.index(asker.sim.number)
            self.codes.append(Spoken("response", code.digits, speaker, by))

    @rule(aim=AIM)
    def check(self, aim: Aim) -> None:
        """Someone checks a code as a response; what is confirmed was answered by its asker."""
        if aimed := self.aimed("response", aim):
            self.type_response(*aimed)

    def type_response(self, holder: Handset, by: int, entry: str) -> None:
        """Type a response; what it confirms is held to the guarantee."""
        number = self.numbers[by]
        verdict = self.on(holder, lambda: holder.check(number, entry))
        if verdict is None or verdict.status is not Status.ACCEPTED:
            return
        event("a key was confirmed")
        asker, order = verdict.key.context.asker, verdict.key.order
        knows = self.corrupt.sim.party in (asker, holder.sim.party)
        assert knows or (asker, entry) in self.responses
        pair = (holder.sim.party, number)
        assert order >= self.confirmed.get(pair, NO_ORDER), "an older key came after"
        self.confirmed[pair] = order

    @rule(asker=WHO, other=OTHER, wish=WISHES, fresh=st.booleans())
    def meet(self, asker: tuple[int, int], other: int, wish: Wish, *, fresh: bool) -> None:
        """Two people do what they should, with a new key or with what is on their phones."""
        holder = (self.other(asker, other), 0)
        if fresh:
            self.be_served(asker, other, wish)
        self.show(asker, other, None, sealed=False)
        straight = Aim(
            asker[0], holder[0], 0, fitting=True, phone=holder, number=asker[0], slip=(0, 0)
        )
        self.enter(straight)
        self.challenge(holder, (asker[0] - holder[0]) % len(self.numbers))
        answered = straight._replace(by=holder[0], to=asker[0], phone=asker, number=holder[0])
        self.respond(answered)
        self.check(straight)

    @rule(by=st.integers(0, HONEST), other=OTHER)
    def replay(self, by: int, other: int) -> None:
        """All that two have ever said to each other is typed once more, in its old order."""
        to = self.other((by, 0), other)
        spoken = dict.fromkeys(code for code in self.codes if {code.by, code.to} == {by, to})
        typed = {
            "ticket": self.type_ticket,
            "challenge": self.type_challenge,
            "response": self.type_response,
        }
        for code in list(spoken)[-MOST_REPLAYED:]:
            typed[code.kind](self.phone((code.to, 0)), code.by, code.digits)

    @rule(who=WHO, asker=WHO, forget=st.booleans())
    def hand_out_nonce(self, who: tuple[int, int], asker: tuple[int, int], *, forget: bool) -> None:
        """Someone takes a nonce back, or hands one out, and is asked for a key with it."""
        holder, asking = self.phone(who), self.phone(asker)
        number = asking.sim.number
        if forget:
            self.on(holder, lambda: holder.forget_nonce(number))
        elif self.on(holder, lambda: holder.nonce(number)):
            wish = Wish(nonce=holder.card.state.peers[number].nonce)
            asked = self.on(asking, lambda: asking.ask(holder.sim.number, wish, self.world.now))
            if isinstance(asked, Asked):
                self.asks.append(asked.text)

    # What the corrupt party can do with its keys, and fate with the rest

    @rule(pick=PICK, twist=st.integers(0, 5), other=WHO, count=st.sampled_from([0, 1, 2, 3, 1023]))
    def forge_code(self, pick: int, twist: int, other: tuple[int, int], count: int) -> None:
        """The corrupt party makes any code, of any context, under any key that it knows."""
        state = self.corrupt.card.state
        keys = [key for keys in state.asked.values() for key in keys]
        keys += [key for peer in state.peers.values() for key in peer.held]
        if not keys:
            return
        key, party = keys[pick % len(keys)], self.phone(other).sim.party
        context = key.context
        twisted = [
            context,
            context._replace(n=context.n % 255 + 1),
            context._replace(terms=context.terms._replace(limit=31)),
            context._replace(holder=party),
            context._replace(asker=party),
            context._replace(epoch=context.epoch + 1),
        ][twist]
        by, to = (self.numbers.index(party.number) for party in (twisted.asker, twisted.holder))
        made = {
            "challenge": ("request", confirmation.challenge(key.session, twisted, count), to, by),
            "response": ("confirm", confirmation.confirmation(key.session, twisted, count), by, to),
            "ticket": ("ticket", ticket(key.session, twisted), by, to),
        }
        for kind, (profile, bits, speaker, listener) in made.items():
            digits = show(encode(PROFILES[profile], bits))
            self.codes.append(Spoken(kind, digits, speaker, listener))

    @rule(who=WHO, keeps=st.integers(0, 1))
    def cut_power(self, who: tuple[int, int], keeps: int) -> None:
        """The power of a phone will go at the next keep, or the one after."""
        self.phone(who).card.keeps_left = keeps

    @precondition(lambda self: sum(map(len, self.phones)) < HONEST + 5)
    @rule(party=st.integers(0, HONEST - 1))
    def renew(self, party: int) -> None:
        """A number gets a new SIM; the old one stays in someone's drawer."""
        self.phones[party].append(self.world.renewed(self.phones[party][-1]))

    @precondition(lambda self: self.world.epoch < 7)
    @rule()
    def raise_epoch(self) -> None:
        """Sam begins a new incarnation."""
        self.world.raise_epoch()

    @precondition(lambda self: self.world.week < 700)
    @rule(weeks=st.sampled_from([0, 1, 1, 1, 3, 30, 60]))
    def pass_weeks(self, weeks: int) -> None:
        """Time goes by."""
        self.world.pass_weeks(weeks)

    @rule(who=st.integers(0, HONEST), suspended=st.sampled_from([False] * 7 + [True]))
    def suspend(self, who: int, *, suspended: bool) -> None:
        """The operator suspends a party, or lets it back in."""
        self.world.suspend(self.phones[who][-1], suspended=suspended)

    # What must hold whatever they do

    @invariant()
    def every_key_was_issued(self) -> None:
        """A key is on a phone only if Sam issued it to this pair, and then it is Sam's."""
        for phone in chain(*self.phones):
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
                    assert key.order >= peer.mark
                    assert self.issued[identity(key.context)] == (key.context, key.session)

    @invariant()
    def nothing_ever_falls(self) -> None:
        """From each kept state to the next, what must rise has not fallen."""
        for phone in chain(*self.phones):
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
            assert peer.mark == NO_ORDER or new.week >= peer.until
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


def _damaged(text: str, slip: Slip) -> str:
    """Return the message with one character wrong, or as it is."""
    if not slip[1]:
        return text
    place = slip[0] % len(text)
    return text[:place] + "ABCDEFGHIJ"[slip[1]] + text[place + 1 :]


def _slipped(code: str, slip: Slip) -> str:
    """Return the code with one digit wrong, or as it is."""
    place = slip[0] % len(code)
    if not code[place].isdigit():
        return code
    return code[:place] + str((int(code[place]) + slip[1]) % 10) + code[place + 1 :]


QUICK = settings(
    max_examples=90,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(600)
def test_the_guarantee(make_world: Callable[..., World]) -> None:
    """Whatever the adversary does, nothing is accepted that should not be, and nothing raises."""
    run_state_machine_as_test(lambda: Adversary(make_world()), settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_guarantee_at_length(make_world: Callable[..., World]) -> None:
    """The same with many more adversaries, each time others, and with more patience."""
    longer = settings(
        QUICK, max_examples=400, stateful_step_count=150, derandomize=False, phases=list(Phase)
    )
    run_state_machine_as_test(lambda: Adversary(make_world()), settings=longer)
