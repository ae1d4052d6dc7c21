"""Sam's week goes on while it runs, asks or none; a leap of the clock is told of aloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dtns.sam.errors import ClockError, StoreError
from dtns.sam.issuing.clock import credible_week, first_clock_fault
from dtns.sam.protocol.weeks import start_of, week_of
from dtns.sam.store.store import Store

HOUR_SECONDS: Final = 3600.0

_log = Logger()
_DOUBT: Final = (
    "the clock is {weeks} weeks off the last one gone by: keys are issued as of {day} until it "
    "is right again, or `dtns serve --trust-clock` says that it is"
)


def keep_time(
    store: Store, clock: Callable[[], float], reactor: Any, *, trusted: bool
) -> Callable[[], None]:
    """Note the week now and every hour; return what ends that.

    Raises ClockError where no week has gone by yet and the clock cannot be right.
    """
    if fault := first_clock_fault(store.week, week_of(clock()), trusted=trusted):
        raise ClockError(fault)

    def note() -> None:
        week = week_of(clock())
        try:
            with store.transaction():
                last = store.week
                believed = credible_week(last, week, trusted=trusted)
                if believed != last:
                    store.note_week(believed)
        except StoreError as fault:
            _log.warn("the week could not be noted: {fault}", fault=str(fault), event="week")
            return
        if believed != week:
            day = start_of(believed)
            _log.critical(_DOUBT, weeks=week - believed, day=day, event="clock")

    loop = LoopingCall(note)
    loop.clock = reactor
    loop.start(HOUR_SECONDS)
    return loop.stop
