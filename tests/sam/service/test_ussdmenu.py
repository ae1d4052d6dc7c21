"""The USSD menu over a real Sam and real phones: what each key does, in every language."""

from __future__ import annotations

import string
from typing import Any

import pytest
from attrs import asdict
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dtns.codecs.digits import PROFILES, decode, encode, show
from dtns.codecs.spoken import WORDS
from dtns.gateway.gsm7 import septets
from dtns.gateway.ussd.pages import SCREEN_CHARACTERS, fits
from dtns.gateway.ussd.seam import Screen
from dtns.sam.configuration.ussd import LANGUAGES
from dtns.sam.handset.exchanges import Asked
from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.policy import Policy
from dtns.sam.issuing.typed import BAD_A_DAY, TypedAsks
from dtns.sam.protocol.answer import Reason
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.dialled import dialled_number
from dtns.sam.service.ussddesk import Desk
from dtns.sam.service.ussdmenu import Dialogue, Menu
from dtns.sam.service.ussdwording import WORDINGS

EN = WORDINGS["en"]


class Caller:
    """Somebody with a phone who dials."""

    def __init__(self, bench: Any, number: str, language: str = "en", country: str = "") -> None:
        self.bench = bench
        world = bench.world
        desk = Desk(
            "ussd.test",
            "memory",
            store=world.store,
            commits=bench.commits,
            asks=TypedAsks(world.issuer, world.issuer._vault, world.policy),
            policy=world.policy,
            outbox=bench.outbox,
            clock=bench.now,
            counters=bench.counters,
        )
        self.menu = Menu(desk, language, country)
        self.dialogue: Dialogue = self.menu.dialogue(number)
        self.screen = self.dialogue.opened()

    def type(self, *typed: str) -> str:
        """Type, one after the other, and return the last screen."""
        for text in typed:
            assert not self.screen.ends, self.screen
            shown: list[Screen] = []
            Deferred.fromCoroutine(self.dialogue.take(text)).addCallback(shown.append)
            for _ in range(20):
                if not shown:
                    self.bench.clock.advance(0.25)
            (self.screen,) = shown
        return self.screen.text


def code(bench: Any, asker: Handset, holder: Handset) -> str:
    """Return the digits of a new typed ask."""
    asked = asker.ask_typed(holder.sim.number, bench.now(), anew=True)
    assert isinstance(asked, Asked)
    return asked.text


def plus(phone: Handset) -> str:
    """Return a phone's number as networks name it."""
    return f"+{phone.sim.number}"


def test_ask_by_sms(bench: Any, alice: Handset, bob: Handset) -> None:
    """The number, the code, and the answer leaves by SMS, once, to the enrolled number."""
    caller = Caller(bench, plus(alice))
    screen = caller.type("1", plus(bob), code(bench, alice, bob))
    assert screen == EN.taken.format(counter=1)
    assert [message.recipient for message in bench.carrier.submitted] == [plus(alice)]
    assert alice.receive(bench.carrier.submitted[0].text).key is not None
    assert caller.type("0") == EN.bye
    assert caller.screen.ends
    assert bench.counters["issued"] == 1


def test_ask_in_digits(bench: Any, alice: Handset, bob: Handset) -> None:
    """The digits come on the screen, and by SMS when that is wanted; no other SMS leaves."""
    caller = Caller(bench, plus(alice))
    screen = caller.type("2", plus(bob), code(bench, alice, bob))
    digits = screen.splitlines()[0].partition(":")[2]
    assert fits(screen)
    assert bench.carrier.submitted == []
    assert caller.type("1") == EN.by_sms
    (message,) = bench.carrier.submitted
    assert message.text == f"1: {digits.strip()}"
    assert alice.enter_answer(digits).key is not None


def test_digits_by_sms_are_bounded(make_bench: Any) -> None:
    """They share the day's repeats, so that a recorded code does not make messages without end."""
    bench = make_bench(Policy(repeats_per_day=2))
    alice, bob = bench.world.phone(), bench.world.phone()
    typed = code(bench, alice, bob)
    screens = []
    for _ in range(4):
        caller = Caller(bench, plus(alice))
        caller.type("2", plus(bob), typed)
        screens.append(caller.screen.text if caller.screen.ends else caller.type("1"))
    assert screens == [EN.by_sms, EN.repeats, EN.repeats, EN.repeats]
    assert len(bench.carrier.submitted) == 1


def test_digits_after_all(bench: Any, alice: Handset, bob: Handset) -> None:
    """Whoever asked for an SMS can have the digits, too; both are one key."""
    caller = Caller(bench, plus(alice))
    screen = caller.type("1", plus(bob), code(bench, alice, bob), "1")
    digits = screen.splitlines()[0].partition(":")[2]
    key = alice.enter_answer(digits).key
    assert key is not None
    assert alice.receive(bench.carrier.submitted[0].text).reason == "known"


def test_the_same_code_again(bench: Any, alice: Handset, bob: Handset) -> None:
    """A session that ended after the ask loses nothing: the code brings the same digits again."""
    typed = code(bench, alice, bob)
    first = Caller(bench, plus(alice)).type("2", plus(bob), typed)
    again = Caller(bench, plus(alice)).type("2", plus(bob), typed)
    assert first == again
    assert bench.counters["issued"] == 1
    assert bench.counters["repeated"] == 1


def test_one_screen_for_every_bad_code(bench: Any, alice: Handset, bob: Handset) -> None:
    """Forged, of somebody not enrolled, of a locked party, of no party at all: all look alike."""
    good = code(bench, alice, bob)
    bits = decode(PROFILES["ask"], good).payload
    assert bits is not None
    bad = show(encode(PROFILES["ask"], bits ^ 1))
    screens = {
        Caller(bench, plus(alice)).type("1", plus(bob), bad),
        Caller(bench, plus(alice)).type("1", "+254799999999", good),
        Caller(bench, "+254788888888").type("1", plus(bob), good),
        Caller(bench, "anonymous").type("1", plus(bob), good),
        Caller(bench, plus(alice)).type("1", plus(bob), "9999 9999 9999"),
    }
    for _ in range(BAD_A_DAY):
        screens.add(Caller(bench, plus(alice)).type("1", plus(bob), bad))
    screens.add(Caller(bench, plus(alice)).type("1", plus(bob), good))
    assert screens == {EN.bad}
    assert bench.counters["forged"] == BAD_A_DAY
    assert bench.counters["locked"] == 3
    assert bench.counters["not-enrolled"] == 1
    assert bench.carrier.submitted == []


def test_the_named_caller_proves_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """Under another's number a good code of one's own is bad, and one's keys stay one's own."""
    mallory = bob
    typed = code(bench, mallory, alice)
    assert Caller(bench, plus(alice)).type("1", plus(alice), typed) == EN.bad
    stolen = code(bench, alice, bob)
    screen = Caller(bench, plus(alice)).type("2", plus(bob), stolen)
    digits = screen.splitlines()[0].partition(":")[2]
    code(bench, mallory, alice)
    assert mallory.enter_answer(digits).key is None
    assert alice.enter_answer(digits).key is not None


def test_a_code_with_digits_missing_costs_nothing(bench: Any, alice: Handset, bob: Handset) -> None:
    """It is told before anything is compared, and typed again."""
    caller = Caller(bench, plus(alice))
    typed = code(bench, alice, bob)
    assert caller.type("1", plus(bob), typed[:-1]) == EN.twelve
    assert caller.type("12a4") == EN.twelve
    assert caller.type(typed.replace(" ", "")) == EN.taken.format(counter=1)
    assert bench.counters["forged"] == 0


def test_refusals_are_told(bench: Any, alice: Handset, bob: Handset) -> None:
    """To whoever proved who asks, in words."""
    bench.world.suspend(bob)
    screen = Caller(bench, plus(alice)).type("1", plus(bob), code(bench, alice, bob))
    assert screen == EN.refused.format(reason=EN.reasons["peer-suspended"])
    assert alice.receive(bench.carrier.submitted[0].text).reason == "peer-suspended"


def test_the_share_of_a_day(make_bench: Any) -> None:
    """It is told how much is left, then that there is none."""
    bench = make_bench(Policy(asks_per_day=1))
    alice, bob = bench.world.phone(), bench.world.phone()
    caller = Caller(bench, plus(alice))
    assert caller.type("4") == EN.left.format(count=1)
    caller.type("0", "1", plus(bob), code(bench, alice, bob))
    assert Caller(bench, plus(alice)).type("4") == EN.left.format(count=0)
    screen = Caller(bench, plus(alice)).type("1", plus(bob), code(bench, alice, bob))
    assert screen == EN.refused.format(reason=EN.reasons["quota"])
    screen = Caller(bench, plus(alice)).type("1", plus(bob), code(bench, alice, bob))
    assert screen == EN.share


def test_random_keys_have_no_digits(make_bench: Any) -> None:
    """Asked for in digits, such an answer comes by SMS all the same."""
    bench = make_bench(Policy(random_keys=True))
    alice, bob = bench.world.phone(), bench.world.phone()
    screen = Caller(bench, plus(alice)).type("2", plus(bob), code(bench, alice, bob))
    assert screen == EN.no_digits
    assert alice.receive(bench.carrier.submitted[0].text).key is not None


def test_status(bench: Any, alice: Handset, bob: Handset) -> None:
    """The latest request, however it came, and how far its SMS is; of a stranger there is none."""
    assert Caller(bench, plus(alice)).type("3") == EN.none
    assert Caller(bench, "+254788888888").type("3") == EN.none
    Caller(bench, plus(alice)).type("1", plus(bob), code(bench, alice, bob))
    bench.pass_time(120, step=10)
    state = f"{EN.granted}, {EN.states['accepted']}"
    ago = EN.ago.format(minutes=2)
    assert Caller(bench, plus(alice)).type("3") == EN.status.format(counter=1, ago=ago, state=state)
    assert Caller(bench, plus(bob)).type("3") == EN.none


def test_nothing_tells_who_is_enrolled(bench: Any, alice: Handset) -> None:
    """Every screen of a party that never asked is that of a stranger."""
    for keys in (("3",), ("4",), ("5",), ("1", "+254700000099")):
        known = Caller(bench, plus(alice)).type(*keys)
        assert known == Caller(bench, "+254788888888").type(*keys)


def test_resumed_screens_hide_the_other_number(bench: Any, alice: Handset, bob: Handset) -> None:
    """Whoever can name a caller's number sees three digits of whom the caller was asking for."""
    caller = Caller(bench, plus(alice))
    caller.type("1", plus(bob))
    shown = caller.dialogue.resumed().text
    assert plus(bob)[:-3] not in shown
    assert f"...{bob.sim.number[-3:]}" in shown
    assert caller.type(code(bench, alice, bob)) == EN.taken.format(counter=1)


def test_a_store_that_fails(bench: Any, alice: Handset, bob: Handset) -> None:
    """Nothing is told that is not durable; the same code is good once Sam can write again."""
    caller = Caller(bench, plus(alice))
    typed = code(bench, alice, bob)
    caller.type("1", plus(bob))
    bench.writable(yes=False)
    assert caller.type(typed) == EN.busy
    bench.writable(yes=True)
    bench.pass_time(3)
    screen = Caller(bench, plus(alice)).type("1", plus(bob), typed)
    assert screen == EN.taken.format(counter=1)


def test_a_power_cut_between_the_issue_and_the_screen(
    bench: Any, alice: Handset, bob: Handset
) -> None:
    """What was decided is on the disk: after it the code brings the answer, and the SMS leaves."""
    caller = Caller(bench, plus(alice))
    typed = code(bench, alice, bob)
    caller.type("1", plus(bob))
    shown: list[Screen] = []
    Deferred.fromCoroutine(caller.dialogue.take(typed)).addCallback(shown.append)
    bench.commits._commit()
    copy = bench.world.copy_of_store()
    bench.world.store.close()
    bench.world.open_store(copy)
    bench.clock = Clock()
    bench.start()
    assert [message.recipient for message in bench.carrier.submitted] == [plus(alice)]
    screen = Caller(bench, plus(alice)).type("2", plus(bob), typed)
    assert alice.enter_answer(screen.splitlines()[0].partition(":")[2]).key is not None
    with bench.world.store.transaction():
        assert bench.world.store.registry.count_issues() == (1, 1)


def test_keys_that_mean_nothing(bench: Any, alice: Handset) -> None:
    """They are told so, and the menu again."""
    assert Caller(bench, plus(alice)).type("7") == f"{EN.wrong_key}\n{EN.home}"
    assert Caller(bench, plus(alice)).type("1", "no number") == EN.no_number
    assert Caller(bench, plus(alice)).type("1", "0") == EN.home


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(bench: Any, alice: Handset, bob: Handset, language: str) -> None:
    """The whole way in each language, chosen by the caller."""
    words = WORDINGS[language]
    caller = Caller(bench, plus(alice))
    assert caller.type("6", str(list(WORDINGS).index(language) + 1)) == words.home
    screen = caller.type("1", plus(bob), code(bench, alice, bob))
    assert screen == words.taken.format(counter=1)


def test_the_languages_are_those_of_spoken_digits() -> None:
    """Wherever a code can be read out, the menu can be read."""
    assert tuple(WORDINGS) == LANGUAGES == tuple(WORDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_fits(language: str) -> None:
    """Filled with the longest values; Hindi may take pages, and stays below 70 but for digits."""
    words = asdict(WORDINGS[language])
    longest = {
        "number": "+254712345678901",
        "counter": 4294967295,
        "digits": " ".join(["9972"] * 16),
        "count": 10_000,
        "reason": max(words.pop("reasons").values(), key=len),
        "minutes": 99999,
    }
    states = words.pop("states")
    longest["ago"] = words["ago"].format(minutes=99999)
    longest["state"] = f"{words['granted']}, {max(states.values(), key=len)}"
    for name, text in words.items():
        filled = text.format(**longest)
        if language == "hi":
            assert septets(filled) is None or name == "name"
        else:
            assert septets(filled) is not None, name
            assert fits(filled, SCREEN_CHARACTERS) or name == "help", name


def test_every_language_has_every_text() -> None:
    """The same blanks in each, and a word for every reason and state."""
    blanks = {}
    for language, words in WORDINGS.items():
        texts = {name: text for name, text in asdict(words).items() if isinstance(text, str)}
        assert all(texts.values())
        blanks[language] = {
            name: {field for _, field, _, _ in string.Formatter().parse(text) if field}
            for name, text in texts.items()
        }
        assert set(words.reasons) == {reason.code for reason in Reason}
        assert set(words.states) == {"delivered", "failed", "expired", "accepted", ""}
    assert all(each == blanks["en"] for each in blanks.values())


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("0712 345 678", "KE", "254712345678"),
        ("+254712345678", "KE", "254712345678"),
        ("254712345678", "KE", "254712345678"),
        ("000254712345678", "KE", "254712345678"),
        ("+33 6 12 34 56 78", "KE", "33612345678"),
        ("06 12 34 56 78", "FR", "33612345678"),
        ("0712345678", "", None),
        ("254712345678", "", "254712345678"),
        ("00254712345678", "", "254712345678"),
        ("+254-712-345-678", "", "254712345678"),
        ("*384#", "KE", None),
        ("071+2345678", "KE", None),
        ("12", "KE", None),
        ("", "KE", None),
        ("07123456789012345", "KE", None),
        ("abc", "", None),
        ("०७१२ ३४५ ६७८", "KE", "254712345678"),
    ],
)
def test_numbers_as_people_dial_them(text: str, country: str, number: str | None) -> None:
    """National forms where a country is set, international ones everywhere."""
    assert dialled_number(text, country) == (None if number is None else Number(number))
