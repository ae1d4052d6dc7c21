"""Taking in the log of a phone: authenticate, file, acknowledge (sam/README.md, section 18)."""

from __future__ import annotations

from typing import Final, Protocol

from attrs import evolve

from dtns.sam.issuing.clock import credible_week
from dtns.sam.issuing.issuer import DAY_SECONDS, Answer, Outcome, Silence
from dtns.sam.issuing.notices import message, renewed
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.records import Records, Registration
from dtns.sam.issuing.vault import Vault
from dtns.sam.ledger import entries
from dtns.sam.protocol.log import (
    COUNT_BITS,
    Entry,
    LogMessage,
    ReceivedLog,
    read_log,
    serial_before,
)
from dtns.sam.protocol.sync import Filed
from dtns.sam.protocol.weeks import week_of
from dtns.sam.protocol.wire import MalformedError

_LAST: Final = (1 << COUNT_BITS) - 1


class Books(Records, Protocol):
    """The store as the filing sees it, inside one transaction."""

    @property
    def ledger(self) -> entries.LedgerRecords:
        """The ledger's tables."""


class Filing:
    """Files the logs of phones; *trust_clock* as for the issuer."""

    def __init__(self, vault: Vault, policy: Policy, *, trust_clock: bool = False) -> None:
        self._vault = vault
        self._policy = policy
        self._trust_clock = trust_clock

    def file(self, books: Books, text: str, now: float) -> Answer | Silence:
        """File a log message at the POSIX time *now*, and acknowledge what is on record.

        Nothing is written before it was authentic. Beyond the party's share of repeated answers,
        and for suspended ones, entries are filed without an answer.
        """
        try:
            received = read_log(text)
        except MalformedError:
            return Silence.MALFORMED
        opened = self._opened(books, received)
        if isinstance(opened, Silence):
            return opened
        registration, log = opened
        if log.first >> COUNT_BITS > log.party.generation:
            return Silence.MALFORMED
        for filed in _as_filed(log):
            books.ledger.file(filed, now)
        registration = registration.on(int(now // DAY_SECONDS))
        share = registration.share
        if registration.suspended or share.repeats >= self._policy.repeats_per_day:
            return Silence.SHARE
        return self._acknowledged(books, registration.repeated(), log.first, now)

    def _opened(
        self, books: Books, received: ReceivedLog
    ) -> tuple[Registration, LogMessage] | Silence:
        registration = books.registration(received.party.number)
        if registration is None:
            return Silence.NOT_ENROLLED
        for enrolment in (registration.enrolment, registration.renewal):
            if enrolment is not None and enrolment.generation == received.party.generation:
                log = received.open(self._vault.party_keys(enrolment).ask)
                if log is None:
                    return Silence.FORGED
                is_new = enrolment == registration.renewal
                return renewed(books, registration) if is_new else registration, log
        return Silence.GENERATION

    def _acknowledged(
        self, books: Books, registration: Registration, first: int, now: float
    ) -> Answer:
        number = registration.enrolment.number
        filed = books.ledger.filed_up_to(number, serial_before(first >> COUNT_BITS))
        week = credible_week(books.week, week_of(now), trusted=self._trust_clock)
        registration, text = message(books, self._vault, registration, week, Filed(filed))
        books.save(registration)
        generation = registration.enrolment.generation
        return Answer(number, generation, 0, text, Outcome.FILED)


def _as_filed(log: LogMessage) -> list[entries.Filed]:
    """Return the entries of a message, each with its serial and the generation of its key."""
    room = _LAST - log.first % (1 << COUNT_BITS) + 1
    return [
        entries.Filed(
            log.party.number,
            log.first + place,
            log.currency,
            evolve(entry, older=0),
            _generation(log, entry),
        )
        for place, entry in enumerate(log.entries[:room])
    ]


def _generation(log: LogMessage, entry: Entry) -> int:
    return max(log.party.generation - entry.older, 0) if entry.other.generation else 0
