"""Every model that is checked: the sound one in each scene, the mutants, and the classics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from attrs import frozen
from mutants import MUTANTS, Mutant
from scenes import SCENES, Scene
from theory import Explored, Step, explore, reach
from words import Event, because, story

Tick = Callable[[int], None]


@frozen
class Classic:
    """A protocol of the literature, and whether the attack looked for must be found."""

    name: str
    theory: str
    initial: str
    looking_for: str
    broken: bool


_NS = "{{ {} | runs(2) exposures({}) meetings(2) sessions(2) | nil | blank }}"
_DIGITALLY = "{{ {} | charges(3) pays(1) drawn(0) closed | nil | blank }}"
CLASSICS = (
    Classic("Needham-Schroeder 1978", "TEXTBOOK", _NS.format("ns1978", 0), "", broken=False),
    Classic(
        "Needham-Schroeder 1978, an old key out",
        "TEXTBOOK",
        _NS.format("ns1978", 1),
        "",
        broken=True,
    ),
    Classic(
        "Needham-Schroeder 1987, an old key out",
        "TEXTBOOK",
        _NS.format("ns1987", 1),
        "",
        broken=False,
    ),
    *(
        Classic(f"DigiTally {name}", "DIGITALLY", _DIGITALLY.format(variant), attack, found)
        for name, variant, attack, found in (
            ("first: collision", "first", "collision", True),
            ("first, N_B in R: collision", "firstNonce", "collision", True),
            ("repaired: collision", "repaired", "collision", False),
            ("repaired: replay", "repaired", "replay", True),
            ("repaired, N_B counted: both", "counted", "", False),
        )
    ),
)
"""NS 1978 falls to Denning and Sacco; DigiTally's repair heals the collision, not the replay."""


@frozen
class Checked:
    """A model, explored: what must be, and what was found.

    *plain* is without an exposed key, *exposed* with one; a mutant is explored one way only.
    """

    name: str
    expected: str
    verdict: str
    plain: Explored | None
    exposed: Explored | None
    events: tuple[Event, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether the verdict is as it must be."""
        return self.verdict.startswith(self.expected)

    @property
    def steps(self) -> list[Step]:
        """The rules on the way to the bad state."""
        bad = next((one for one in (self.plain, self.exposed) if one and one.reason), None)
        return bad.steps if bad else []

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(found.seconds for found in (self.plain, self.exposed) if found)


def all_names() -> list[str]:
    """Return the names of all models, in order."""
    names = [scene.name for scene in SCENES]
    return [*names, *(f"mutant: {m.about}" for m in MUTANTS), *(c.name for c in CLASSICS)]


def checked(name: str, tick: Tick = lambda _: None) -> Checked:
    """Explore the model of this name.

    Raises:
        KeyError: there is none.
    """
    scenes = {scene.name: scene for scene in SCENES}
    mutants = {f"mutant: {mutant.about}": mutant for mutant in MUTANTS}
    if name in scenes:
        return _sound(scenes[name], tick)
    if name in mutants:
        return mutated(name, mutants[name], scenes[mutants[name].scene], tick)
    return _classic({classic.name: classic for classic in CLASSICS}[name], tick)


@cache
def found(name: str) -> Checked:
    """Return what `checked` returns, explored once in a process."""
    return checked(name)


def _sound(scene: Scene, tick: Tick) -> Checked:
    """Explore a scene with the sound rules: nothing bad, and all that must be possible is."""
    plain = explore("SMALL", scene.start(exposed=False), tick=tick)
    exposed = explore("SMALL", scene.start(), tick=tick) if scene.exposable else None
    found = [found for found in (plain, exposed) if found]
    bad = next((one for one in found if one.reason), None)
    lost = exposed.loss if exposed else -1
    verdict = f"holds{_price(lost, scene.limit)}"
    if bad:
        verdict = f"BROKEN: {because(bad.reason)}"
    elif plain.loss >= 0 or lost > scene.limit:
        verdict = f"BROKEN: forged {lost} of {scene.limit}"
    for missing in _unreachable(scene):
        verdict = f"EMPTY: never {missing}"
    return Checked(scene.name, "holds", verdict, plain, exposed, _told("SMALL", bad))


def _price(lost: int, limit: int) -> str:
    """Tell what an exposed key is good for: the residual risk, to be no more than the limit."""
    if lost < 0:
        return ""
    return f"; an exposed key costs {lost} of {limit}" if lost else "; an exposed key passes for A"


def _unreachable(scene: Scene) -> Iterator[str]:
    initial = scene.start(exposed=False)
    return (" ".join(facts) for facts in scene.reaches if not reach("SMALL", initial, *facts))


def mutated(name: str, mutant: Mutant, scene: Scene, tick: Tick = lambda _: None) -> Checked:
    """Explore a mutant until it is broken, which it must be for a reason of its own."""
    found = explore("SMALL", scene.start(mutant.fault, exposed=mutant.exposed), tick=tick)
    events = _told("SMALL", found)
    plain, exposed = (None, found) if mutant.exposed else (found, None)
    verdict = _broken(found, events)
    expected = f"broken in {len(events)}" if found.reason in mutant.reasons else "broken otherwise"
    return Checked(name, expected, verdict, plain, exposed, events)


def _classic(classic: Classic, tick: Tick) -> Checked:
    found = explore(classic.theory, classic.initial, looking_for=classic.looking_for, tick=tick)
    events = _told(classic.theory, found)
    expected = "broken" if classic.broken else "holds"
    return Checked(classic.name, expected, _broken(found, events), found, None, events)


def _broken(found: Explored, events: tuple[Event, ...]) -> str:
    if not found.reason:
        return "holds"
    steps = f"{len(events)} step{'s' * (len(events) > 1)}"
    return f"broken in {steps}: {because(found.reason)}"


def _told(theory: str, found: Explored | None) -> tuple[Event, ...]:
    return tuple(story(theory, found)) if found and found.reason else ()
