"""The guess budget: every comparison with a typed tag is paid for before it is made.

A comparison with a tag of t bits costs 2^-t. A SIM spends at most 2^-27 a year, which is 8,192
comparisons of a 40-bit tag, over all keys and peers together; locks that Sam ends add less each
time, and never more than a quarter in all.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

_UNIT_BITS: Final = 64
BUDGET: Final = 1 << (_UNIT_BITS - 27)
"""What a SIM may spend in a year, in units of 2^-64."""
STRANGERS_BUDGET: Final = BUDGET // 2
"""The part of it that entries under numbers never heard of share, so that they use up no more."""
YEAR_WEEKS: Final = 52
_QUARTER: Final = 2


def with_ended_locks(budget: int, ended: int) -> int:
    """Return a year's budget after Sam ended so many locks: an eighth more, a sixteenth more, …."""
    return budget + (budget >> _QUARTER) - (budget >> _QUARTER + ended)


def price(tag_bits: int, comparisons: int) -> int:
    """Return the price of comparing this often with a tag of *tag_bits* bits, in units."""
    return comparisons << (_UNIT_BITS - tag_bits)


@frozen
class Guesses:
    """What was spent since the week *since*, in all and by strangers.

    locks counts how often the account ran out, and locked tells that it is so now: Sam ends a
    lock by its number. ended counts the locks that Sam has ended since the week *since*.
    """

    since: int = 0
    spent: int = 0
    strangers: int = 0
    locks: int = 0
    locked: bool = False
    ended: int = 0

    def at(self, week: int) -> Guesses:
        """Return the account as of *week* (authenticated time): a year later it starts anew."""
        return self.anew(week) if week >= self.since + YEAR_WEEKS else self

    def anew(self, week: int) -> Guesses:
        """Return an account of which nothing is spent yet."""
        return Guesses(since=week, locks=self.locks)

    def run_out(self) -> Guesses:
        """Return the account after an entry could not be paid for."""
        return self if self.locked else evolve(self, locks=self.locks + 1, locked=True)

    def unlocked(self, lock: int, week: int) -> Guesses:
        """Return the account after Sam ended the lock with this number, if that is the one."""
        account = self.at(week)
        if not account.locked or lock != account.locks:
            return account
        return evolve(account, locked=False, ended=account.ended + 1)

    def charged(self, units: int, *, stranger: bool) -> Guesses | None:
        """Return the account after paying *units*, or None if they are not there."""
        strangers = self.strangers + units if stranger else self.strangers
        budget, theirs = (with_ended_locks(part, self.ended) for part in (BUDGET, STRANGERS_BUDGET))
        if self.spent + units > budget or strangers > theirs:
            return None
        return evolve(self, spent=self.spent + units, strangers=strangers)

    def refunded(self, units: int, *, stranger: bool) -> Guesses:
        """Return the account after *units* that were paid and not used came back."""
        strangers = self.strangers - units if stranger else self.strangers
        return evolve(self, spent=self.spent - units, strangers=strangers)
