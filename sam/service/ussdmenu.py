"""The USSD menu: what each key does. The only home of its meaning, for every carrier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from dtns.codecs.digits import PROFILES, decode
from dtns.codecs.keyed import digits_of
from dtns.gateway.ussd.seam import Screen
from dtns.sam.errors import StoreError
from dtns.sam.issuing.issuer import Silence
from dtns.sam.issuing.typed import Typing
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.dialled import dialled_number
from dtns.sam.service.ussddesk import Desk, Last, Told
from dtns.sam.service.ussdwording import WORDINGS, Wording
from dtns.sam.store.outbox import State

_HOME: Final = "0"
_CODE_DIGITS: Final = 12
_SHOWN_DIGITS: Final = 3
_Step = Callable[[str], Awaitable[Screen]]


class Menu:
    """The menu of one gateway, in its language; *country* is where its callers dial."""

    def __init__(self, desk: Desk, language: str, country: str) -> None:
        self._desk = desk
        self._language = language
        self._country = country
        words = WORDINGS[language]
        self.wait, self.over, self.busy = words.wait, words.over, words.busy

    def dialogue(self, caller: str) -> Dialogue:
        """Begin a conversation with a caller; the number that a network names proves nothing."""
        return Dialogue(self._desk, caller, WORDINGS[self._language], self._country)


class Dialogue:
    """One caller's conversation: the step that the next key is for, and what was typed so far."""

    def __init__(self, desk: Desk, caller: str, words: Wording, country: str) -> None:
        self._desk = desk
        self._caller = dialled_number(caller, country)
        self._words = words
        self._country = country
        self._step: _Step = self._at_home
        self._prompt = words.home
        self._by_sms = True
        self._holder: Number | None = None
        self._told: Told | None = None

    def opened(self) -> Screen:
        """Return the menu."""
        return self._home()

    def resumed(self) -> Screen:
        """Return what is to be typed next; of the other party's number only its end."""
        holder = self._holder
        if holder is None:
            return Screen(self._prompt)
        return Screen(self._prompt.replace(f"+{holder}", f"...{holder[-_SHOWN_DIGITS:]}"))

    async def take(self, typed: str) -> Screen:
        """Do what was typed; StoreError where Sam cannot is told in words."""
        try:
            if typed == _HOME and self._step != self._at_answer:
                return self._home()
            return await self._step(typed)
        except StoreError:
            return Screen(self._words.busy, ends=True)

    def _at(self, step: _Step, prompt: str) -> Screen:
        self._step, self._prompt = step, prompt
        return Screen(prompt)

    def _home(self) -> Screen:
        self._holder = self._told = None
        return self._at(self._at_home, self._words.home)

    async def _at_home(self, typed: str) -> Screen:
        match typed:
            case "1" | "2":
                self._by_sms = typed == "1"
                return self._at(self._at_number, self._words.number)
            case "3":
                return self._at(self._at_note, await self._status())
            case "4":
                return self._at(self._at_note, await self._left())
            case "5":
                return self._at(self._at_note, self._words.help)
            case "6":
                names = (f"{key} {each.name}" for key, each in enumerate(WORDINGS.values(), 1))
                return self._at(self._at_language, "\n".join(names))
        return Screen(f"{self._words.wrong_key}\n{self._words.home}")

    async def _at_language(self, typed: str) -> Screen:
        choices = {str(key): words for key, words in enumerate(WORDINGS.values(), 1)}
        self._words = choices.get(typed, self._words)
        return self._home()

    async def _at_note(self, _typed: str) -> Screen:
        return self._home()

    async def _at_number(self, typed: str) -> Screen:
        holder = dialled_number(typed, self._country)
        if holder is None:
            return self._at(self._at_number, self._words.no_number)
        self._holder = holder
        return self._at(self._at_code, self._words.code.format(number=f"+{holder}"))

    async def _at_code(self, typed: str) -> Screen:
        digits = (digits_of(typed) or "").replace(" ", "")
        if len(digits) != _CODE_DIGITS:
            return Screen(self._words.twelve)
        bits = decode(PROFILES["ask"], digits).payload
        if bits is None or self._caller is None or self._holder is None:
            return Screen(self._words.bad)
        typing = Typing(self._caller, self._holder, bits)
        told = await self._desk.decide(typing, by_sms=self._by_sms)
        match told:
            case Told():
                return self._answered(told)
            case Silence.SHARE:
                return Screen(self._words.share, ends=True)
            case Silence.REPEATS:
                return Screen(self._words.repeats, ends=True)
        return Screen(self._words.bad)

    def _answered(self, told: Told) -> Screen:
        words = self._words
        self._told = told
        if told.reason:
            reason = words.reasons[told.reason]
            return self._at(self._at_note, words.refused.format(reason=reason))
        if self._by_sms:
            return self._at(self._at_answer, words.taken.format(counter=told.counter))
        return self._digits(told)

    def _digits(self, told: Told) -> Screen:
        if not told.digits:
            return self._at(self._at_note, self._words.no_digits)
        self._by_sms = False
        return self._at(self._at_answer, self._words.digits.format(digits=told.digits))

    async def _at_answer(self, typed: str) -> Screen:
        told = self._told
        assert told is not None
        if typed == _HOME:
            return Screen(self._words.bye, ends=True)
        if typed != "1":
            return Screen(self._prompt)
        if self._by_sms:
            return self._digits(told)
        sent = await self._desk.send_digits(told, f"{told.counter}: {told.digits}")
        return Screen(self._words.by_sms if sent else self._words.repeats, ends=True)

    async def _status(self) -> str:
        last = None if self._caller is None else await self._desk.last(self._caller)
        if last is None:
            return self._words.none
        ago = self._words.ago.format(minutes=max(0, int(last.seconds_ago // 60)))
        return self._words.status.format(
            counter=last.counter, ago=ago, state=_state(self._words, last)
        )

    async def _left(self) -> str:
        return self._words.left.format(count=await self._desk.left(self._caller))


def _state(words: Wording, last: Last) -> str:
    outcome = words.reasons[last.reason] if last.reason else words.granted
    if last.delivery is None:
        return outcome
    on_its_way = last.delivery in {State.QUEUED, State.HANDED, State.RETRYING}
    return f"{outcome}, {words.states['' if on_its_way else last.delivery.value]}"
