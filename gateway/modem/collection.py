"""What comes in by one connection: found in the modem, passed on, and erased once it is stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from dtns.gateway.modem.errors import RefusedError
from dtns.gateway.modem.inbox import sort_out
from dtns.gateway.modem.notices import Notices
from dtns.gateway.modem.pdu import PduError, StatusReport, read_incoming

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtns.gateway.modem.condition import Condition
    from dtns.gateway.modem.inbox import Swept
    from dtns.gateway.modem.job import Office
    from dtns.gateway.modem.references import References
    from dtns.gateway.modem.session import Session, Slot, StoredPdu
    from dtns.gateway.modem.timing import Timing
    from dtns.gateway.modem.worker import Worker

_UNREADABLE_SWEEPS: Final = 3
_ERASED_AT_ONCE: Final = 16


class Collection:
    """Empties the modem of *session*, a step at a time; *wake* is called when there is a new step.

    The places of messages mean something in this connection alone: after `close` nothing that is
    stored late erases anything, and the next connection finds it again.
    """

    _log = Logger()

    def __init__(
        self,
        session: Session,
        worker: Worker,
        office: Office,
        references: References,
        condition: Condition,
        *,
        timing: Timing,
        clock: Callable[[], float],
        reactor: Any,
        wake: Callable[[], None],
    ) -> None:
        self._session = session
        self._worker = worker
        self._office = office
        self._references = references
        self._condition = condition
        self._timing = timing
        self._clock = clock
        self._reactor = reactor
        self._wake = wake
        self._notices = Notices()
        self._erasing: dict[Slot, None] = {}
        self._unreadable: dict[Slot, int] = {}
        self._swept_at = 0.0
        self._open = True
        self.sweep_at = 0.0

    def close(self) -> None:
        """Erase nothing more."""
        self._open = False

    def notice(self, lines: list[str]) -> None:
        """Take in what the modem said unasked."""
        self._notices.take(lines)
        self._wake()

    def message_sent(self) -> None:
        """Sweep soon, for a notification may have been lost in the dialogue."""
        if self._reactor.seconds() - self._swept_at >= self._timing.sweep_after_send:
            self.sweep_at = 0.0

    async def step(self) -> bool:
        """Take one step; tell whether there was one to take."""
        for pdu in self._notices.reports():
            self._take_report(pdu)
        if memories := self._notices.memories(self._session.memories):
            await self._sweep(memories)
        elif self._reactor.seconds() >= self.sweep_at:
            await self._sweep(self._session.memories)
        elif self._erasing:
            await self.erase()
        else:
            return False
        return True

    async def erase(self) -> None:
        """Erase some of what is stored elsewhere; what cannot be erased the next sweep finds."""
        for slot in list(self._erasing)[:_ERASED_AT_ONCE]:
            try:
                await self._worker.run(partial(self._session.erase, slot))
            except RefusedError as fault:
                self._complain(fault)
            self._erasing.pop(slot, None)

    async def _sweep(self, memories: tuple[str, ...]) -> None:
        """Take in everything that is stored in these memories."""
        stored: list[StoredPdu] = []
        for memory in memories:
            try:
                stored += await self._worker.run(partial(self._session.stored, memory))
            except RefusedError as fault:
                self._complain(fault)
        self._swept_at = self._reactor.seconds()
        if memories == self._session.memories:
            self.sweep_at = self._swept_at + self._timing.sweep
        self._take_in(sort_out(each for each in stored if each.slot not in self._erasing))

    def _take_in(self, swept: Swept) -> None:
        for message in swept.messages:
            self._office.arrived(message, partial(self._stored, message.slots))
        for slot, report in swept.reports:
            self._tell(report, f"{self._condition.name} {slot}", partial(self._stored, (slot,)))
        self._give_up(swept)

    def _give_up(self, swept: Swept) -> None:
        """Give up parts that waited too long or take up all room, and what is no message."""
        oldest = self._clock() - self._timing.unjoined
        for sent_at, slots in sorted(swept.unjoined, key=lambda group: group[0]):
            if sent_at < oldest or self._condition.full:
                self._condition.orphans += len(slots)
                self._condition.full = False
                self._stored(slots)
        seen = self._unreadable
        self._unreadable = {slot: seen.get(slot, 0) + 1 for slot in swept.unreadable}
        for slot, sweeps in self._unreadable.items():
            if sweeps >= _UNREADABLE_SWEEPS:
                self._condition.unreadable += 1
                self._stored((slot,))

    def _take_report(self, pdu: str) -> None:
        """Take in a report that was handed over and is stored nowhere."""
        try:
            read = read_incoming(pdu)
        except PduError:
            return
        if isinstance(read, StatusReport):
            self._tell(read, f"{self._condition.name} {pdu}", lambda: None)

    def _tell(self, report: StatusReport, key: str, erase: Callable[[], object]) -> None:
        told = self._references.report(report.reference, report.recipient, report.status)
        if told is None:
            erase()
        else:
            self._office.reported(told, key, erase)

    def _stored(self, slots: tuple[Slot, ...]) -> None:
        """Have slots erased: what was in them is stored elsewhere, or of no use."""
        if self._open:
            self._erasing.update(dict.fromkeys(slots))
            self._wake()

    def _complain(self, fault: RefusedError) -> None:
        self._log.warn("modem {name}: {fault}", name=self._condition.name, fault=fault)
