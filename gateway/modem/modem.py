"""The life of one modem: found, connected, served, lost, and found again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from dtns.gateway.carrier import Accepted, Failed
from dtns.gateway.errors import GatewayError
from dtns.gateway.modem.card import unlock
from dtns.gateway.modem.collection import Collection
from dtns.gateway.modem.condition import Condition
from dtns.gateway.modem.errors import AbsentError, CardError, RefusedError, SilentError
from dtns.gateway.modem.references import References
from dtns.gateway.modem.session import Session, UnknownFateError
from dtns.gateway.modem.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from dtns.gateway.modem.card import RefusedPins
    from dtns.gateway.modem.job import Job, Office
    from dtns.gateway.modem.session import Facts, Settings
    from dtns.gateway.modem.timing import Timing
    from dtns.gateway.queue import Pace

_STEADY_SECONDS: Final = 30.0
_LONGEST_REST_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_FOR_GOOD: Final = {1, 28, 30, 304, 305}
"""+CMS ERROR: unassigned number, unidentified and unknown subscriber, invalid PDU or text."""
_UNSURE: Final = {332, 500}
"""+CMS ERROR: network timeout, unknown error: the network may hold the message all the same."""


class Modem:
    """Keeps one modem serving: what it can send it takes from *office*, what comes goes there.

    All of it runs on the reactor's thread, one step at a time, each step's blocking work in the
    modem's own worker thread. *reactor* gives time and `callFromThread`, *clock* POSIX time,
    *random* the jitter of pauses.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        settings: Settings,
        refused: RefusedPins,
        office: Office,
        *,
        pace: Pace,
        timing: Timing,
        random: Random,
        clock: Callable[[], float],
        reactor: Any,
    ) -> None:
        self.name = name
        self.condition = Condition(name)
        self._settings = settings
        self._refused = refused
        self._office = office
        self._pace = pace
        self._timing = timing
        self._random = random
        self._clock = clock
        self._reactor = reactor
        self._worker = Worker(reactor, f"modem {name}")
        self._references = References(name)
        self._session: Session | None = None
        self._collection: Collection | None = None
        self._job: Job | None = None
        self._sleep: Deferred[None] | None = None
        self._living: Deferred[None] | None = None
        self._stopping = False
        self._wanted = True
        self._draining = False
        self._gone = False
        self._failures = 0
        self._refusals = 0
        self._rest_until = 0.0
        self._check_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether a message given to it now would be sent."""
        return self.condition.state == "up" and self.condition.registered and not self._draining

    def start(self) -> None:
        """Begin to look for the modem, and go on for ever."""
        self._stopping = False
        self._worker.start()
        self._living = Deferred.fromCoroutine(self._live())
        self._living.addErrback(
            lambda failure: self._log.failure("modem {name} ended", failure, name=self.name)
        )

    async def stop(self) -> None:
        """Finish the step at hand, at most 5 s of it, and close the port."""
        self._stopping = True
        self.wake()
        living, self._living = self._living, None
        if living is not None and not living.called:
            waited: Deferred[None] = Deferred()
            living.addBoth(lambda _: None if waited.called else waited.callback(None))
            waited.addTimeout(_STOP_SECONDS, self._reactor)
            await waited.addErrback(lambda _: None)
        if self._job is not None:
            self._job.done(_unknown(self._job, "stopped before the network answered"))
        self._worker.stop()

    def suspend(self) -> None:
        """Close the port and leave the modem alone until `resume`."""
        self._wanted = False
        self.wake()

    def drain(self) -> None:
        """Send nothing more; suspend once what came in is stored."""
        self._draining = True
        self._office.changed()
        self.wake()

    def resume(self) -> None:
        """Serve again, after `suspend` or `drain`."""
        self._wanted, self._draining = True, False
        self._office.changed()
        self.wake()

    def wake(self) -> None:
        """Look for something to do."""
        sleep, self._sleep = self._sleep, None
        if sleep is not None:
            sleep.callback(None)

    async def _live(self) -> None:
        while not self._stopping:
            pause: float | None = 0.0
            try:
                if self._wanted:
                    self._became("starting")
                    await self._connect()
                    await self._serve()
                else:
                    self._became("suspended")
                    pause = None
            except GatewayError as fault:
                pause = self._pause_after(fault)
                if str(fault) != self.condition.reason:
                    self._log.warn("modem {name}: {reason}", name=self.name, reason=str(fault))
                self._became("down", str(fault))
            except Exception as fault:  # noqa: BLE001 (a fault of ours costs one connection)
                pause = self._timing.longest_retry
                self._became("down", f"a fault in the gateway: {type(fault).__name__}")
                self._log.failure("modem {name} failed", name=self.name)
            await self._hang_up()
            if pause is None and self._wanted:
                continue
            if pause != 0.0 and not self._stopping:
                await self._rest(pause)
        self._became("stopped")

    async def _connect(self) -> None:
        self._gone = False
        session = await self._worker.run(
            lambda: Session(self._settings, self._timing, self._heard, self._lost)
        )
        self._session = session
        self._collection = Collection(
            session,
            self._worker,
            self._office,
            self._references,
            self.condition,
            timing=self._timing,
            clock=self._clock,
            reactor=self._reactor,
            wake=self.wake,
        )
        await self._worker.run(session.open)
        await self._worker.run(lambda: unlock(session, self._settings.pin, self._refused))
        facts: Facts = await self._worker.run(session.begin)
        self.condition.describe(facts)

    async def _serve(self) -> None:
        session, collection = self._session, self._collection
        assert session is not None
        assert collection is not None
        await self._check(session)
        await collection.step()
        up_at = self._reactor.seconds()
        self._became("up")
        while self._wanted and not self._stopping:
            if self._gone:
                raise AbsentError("the port was hung up: unplugged, or reset")
            if self._reactor.seconds() >= self._check_at:
                await self._check(session)
            worked = await collection.step()
            worked = await self._transmit(session, collection) or worked
            if self._reactor.seconds() - up_at > _STEADY_SECONDS:
                self._failures = 0
            if not worked and self._draining:
                self._wanted = False
            elif not worked:
                await self._rest(self._next_at(collection) - self._reactor.seconds())
        await collection.erase()

    async def _transmit(self, session: Session, collection: Collection) -> bool:
        """Send one message, if there is one and it may leave now."""
        now = self._reactor.seconds()
        if not self.connected or now < self._may_send_at(now):
            return False
        job = self._office.next_job()
        if job is None:
            return False
        self._pace.spend(now)
        self._job = job
        try:
            await self._submit(session, job)
        finally:
            self._job = None
        collection.message_sent()
        return True

    async def _submit(self, session: Session, job: Job) -> None:
        message = job.message
        submit = partial(session.submit, message.recipient, message.text, message.validity_seconds)
        try:
            reference = await self._worker.run(submit)
        except UnknownFateError as fault:
            self.condition.failed += 1
            job.done(_unknown(job, str(fault)))
            raise
        except RefusedError as fault:
            self._refused_by_network(job, fault)
        except (SilentError, AbsentError):
            self._office.give_back(job)
            raise
        else:
            self._refusals = 0
            self.condition.sent += 1
            self.condition.last_sent = self._clock()
            if reference is None:
                carrier_id = f"{self.name}-{message.reference}"
            else:
                carrier_id = self._references.add(reference, message.recipient, message.reference)
            job.done(Accepted(message.reference, carrier_id))

    def _refused_by_network(self, job: Job, fault: RefusedError) -> None:
        self.condition.failed += 1
        self.condition.reason = f"the network refused a message: {fault}"
        permanent = fault.kind == "CMS" and fault.code in _FOR_GOOD
        if not permanent:
            rest = self._timing.rest * 2.0**self._refusals
            self._rest_until = self._reactor.seconds() + min(rest, _LONGEST_REST_SECONDS)
            self._refusals += 1
        unsure = fault.kind == "CMS" and fault.code in _UNSURE
        job.done(Failed(job.message.reference, permanent, str(fault), maybe_sent=unsure))

    async def _check(self, session: Session) -> None:
        """Look at registration, signal and room; a modem that does not answer shows here."""
        self._check_at = self._reactor.seconds() + self._timing.check
        reception = await self._worker.run(session.reception)
        room = None
        if session.memories:
            room = await self._worker.run(lambda: session.room(session.memories[0]))
        served = self.connected
        self.condition.receive(reception, room)
        if served != self.connected:
            self._office.changed()

    async def _hang_up(self) -> None:
        session, self._session = self._session, None
        collection, self._collection = self._collection, None
        if collection is not None:
            collection.close()
        if session is not None:
            await self._worker.run(session.close)

    def _heard(self, lines: list[str]) -> None:
        """Pass on what the modem says unasked, from whatever thread."""
        self._reactor.callFromThread(self._notice, lines)

    def _notice(self, lines: list[str]) -> None:
        if self._collection is not None:
            self._collection.notice(lines)

    def _lost(self) -> None:
        self._reactor.callFromThread(self._port_lost)

    def _port_lost(self) -> None:
        self._gone = True
        self.wake()

    def _became(self, state: str, reason: str = "") -> None:
        served = self.connected
        self.condition.become(state, reason, self._clock())
        if served != self.connected:
            self._office.changed()

    def _pause_after(self, fault: GatewayError) -> float:
        if isinstance(fault, CardError):
            return self._timing.longest_retry
        if isinstance(fault, AbsentError):
            return self._timing.look
        self._failures += 1
        pause = self._timing.first_retry * 2.0 ** min(self._failures - 1, 30)
        return min(pause, self._timing.longest_retry) * self._random.uniform(0.5, 1.0)

    def _may_send_at(self, now: float) -> float:
        return max(self._pace.ready_at(now), self._rest_until)

    def _next_at(self, collection: Collection) -> float:
        now = self._reactor.seconds()
        times = [self._check_at, collection.sweep_at]
        if self.connected and self._may_send_at(now) > now:
            times.append(self._may_send_at(now))
        return min(times)

    async def _rest(self, seconds: float | None) -> None:
        """Wait to be woken, or for so many seconds."""
        sleep: Deferred[None] = Deferred()
        self._sleep = sleep
        alarm = None
        if seconds is not None:
            alarm = self._reactor.callLater(max(0.0, seconds), self.wake)
        await sleep
        if alarm is not None and alarm.active():
            alarm.cancel()


def _unknown(job: Job, reason: str) -> Failed:
    return Failed(job.message.reference, permanent=False, reason=reason, maybe_sent=True)
