"""Decisions on what phones send: on all messages of a turn, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dtns.gateway.parts import Joining
from dtns.sam.issuing.issuer import Answer, Issuer, Outcome, Silence
from dtns.sam.protocol.ask import ReceivedAsk, read_ask
from dtns.sam.protocol.wire import MalformedError
from dtns.sam.service.typedtext import read_typed_text

if TYPE_CHECKING:
    from dtns.gateway.carrier import Inbound
    from dtns.sam.issuing.typed import TypedAsks
    from dtns.sam.ledger.filing import Filing
    from dtns.sam.store.store import Store

REDELIVERED: Final = Silence.REDELIVERED.value
"""Counter of messages that came again from the carrier and had been acted on already."""
PART: Final = "part"
"""Counter of parts of long messages that wait for others."""
PART_DROPPED: Final = "part-dropped"
"""Counter of parts that were never joined: orphans, junk, and those beyond the bounds."""


class Decisions:
    """Decides on messages inside the store's transaction, which must be durable before answers go.

    answers are those of the last turn, with the carriers that brought the messages.
    """

    def __init__(
        self, store: Store, issuer: Issuer, *, filing: Filing | None, typed: TypedAsks | None
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._filing = filing
        self._typed = typed
        self._joining = Joining(store.parts)
        self.answers: list[tuple[str, Answer]] = []

    def decide(self, messages: Sequence[Inbound], now: float, served: float) -> list[str]:
        """Decide on each message at the POSIX time *now*; return the counters that go up by one.

        *served* are the seconds of service, by which parts of long messages are forgotten.
        """
        self.answers = []
        self._joining.dropped = 0
        asks = [None if each.part else _read(each.text) for each in messages]
        self._read_parties(asks)
        outcomes = [
            self._decide_part(message, now, served)
            if message.part
            else self._decide(message, message.text, ask, (message.identity,), now)
            for message, ask in zip(messages, asks, strict=True)
        ]
        self._store.inbound.forget(now)
        return outcomes + [PART_DROPPED] * self._joining.dropped

    def _read_parties(self, asks: Sequence[ReceivedAsk | None]) -> None:
        """Read at once whom all these asks are about."""
        numbers = {ask.ask.asker.number for ask in asks if ask is not None}
        numbers |= {ask.ask.holder for ask in asks if ask is not None}
        self._store.read_ahead(numbers)

    def _decide_part(self, message: Inbound, now: float, served: float) -> str:
        """Decide on the message that this part makes whole, if it does."""
        if self._store.inbound.is_known(message.carrier, message.identity):
            return REDELIVERED
        whole = self._joining.take(message, served)
        if whole is None:
            return PART
        return self._decide(message, whole.text, _read(whole.text), whole.identities, now)

    def _decide(
        self,
        message: Inbound,
        text: str,
        ask: ReceivedAsk | None,
        identities: tuple[str, ...],
        now: float,
    ) -> str:
        store, carrier = self._store, message.carrier
        decided: Answer | Silence
        if ask is None:
            decided = self._decide_other(message, text, now)
        else:
            decided = self._issuer.decide_read(store, ask, carrier, now, identity=identities[0])
        if not isinstance(decided, Answer):
            return decided.value
        self.answers.append((carrier, decided))
        if decided.notice:
            self.answers.append((carrier, decided.aside))
        if ask is None or decided.outcome is Outcome.REPEATED or len(identities) > 1:
            store.inbound.remember(carrier, identities, now)
        return decided.outcome.value

    def _decide_other(self, message: Inbound, text: str, now: float) -> Answer | Silence:
        """Decide on what is no ask: a log, or what a person typed."""
        if self._store.inbound.is_known(message.carrier, message.identity):
            return Silence.REDELIVERED
        decided: Answer | Silence = Silence.MALFORMED
        if self._filing is not None:
            decided = self._filing.file(self._store, text, now)
        if decided is Silence.MALFORMED and self._typed is not None:
            decided = self._decide_typed(self._typed, text, message, now)
        return decided

    def _decide_typed(
        self, typed: TypedAsks, text: str, message: Inbound, now: float
    ) -> Answer | Silence:
        """Decide on what may be a typed ask, of whom the network names as its sender."""
        typing = read_typed_text(message.sender, text)
        if typing is None:
            return Silence.MALFORMED
        decided = typed.decide(self._store, typing, message.carrier, now)
        if isinstance(decided, Silence):
            return decided
        return Silence.WAITING if decided.answer is None else decided.answer


def _read(text: str) -> ReceivedAsk | None:
    try:
        return read_ask(text)
    except MalformedError:
        return None
