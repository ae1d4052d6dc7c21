"""A real Sam and real phones go along with what the model does, and stop its mutants' attacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("maude", reason="no maude: python -m pip install -e '.[test]'")
sys.path.insert(0, str(Path(__file__).parent))

from models import found
from mutants import MUTANTS, Mutant
from played import Played
from scenes import SCENES, Scene
from theory import Step, reach, ways
from world import World

from dtns.sam.issuing.policy import Policy
from dtns.sam.protocol.weeks import LONGEST_LIFE_WEEKS

NOT_PLAYED = "refunds"
"""Sam's refunds wait for logs and weeks, which the tests of the ledger bring."""
REFUSED_EARLIER = {
    "markUnchecked": "the latest key alone is challenged",
    "markFalls": "an older ticket is not taken once the later key is confirmed",
    "expiryUnchecked": "the ticket is expired already",
    "limitUnchecked": "the payer adds up too",
    "smallUncapped": "the payee makes no charge above the cap",
    "largeBySmall": "the payee makes no large charge by small payment",
}
"""Mutants that real phones stop before the last step, and how."""
WITH_ONE_KEY = (
    *("express and cheques", "charges", "all modes", "the holder pays", "answers astray"),
    *("Eve's own key", "small, a new SIM"),
)
"""Scenes in which phones, who pay and challenge on the latest key alone, have no choice of keys."""
SCENE = {scene.name: scene for scene in SCENES}
PLAYED = [scene for scene in SCENES if scene.name != NOT_PLAYED]


def steps_done(folder: Path, scene: Scene, steps: list[Step]) -> int:
    """Play a way on real phones, and return how many steps they went along with."""
    world = World(folder, Policy(longest_life_weeks=LONGEST_LIFE_WEEKS))
    return Played(world, scene).steps_done(steps)


@pytest.mark.parametrize("scene", PLAYED, ids=lambda scene: scene.name)
def test_real_phones_do_what_the_sound_model_does(scene: Scene, tmp_path: Path) -> None:
    """Each thing that must be possible in a scene is done by real phones, step by step."""
    for place, facts in enumerate(scene.reaches):
        way = reach("SMALL", scene.start(exposed=False), *facts)
        assert way is not None
        folder = tmp_path / str(place)
        folder.mkdir()
        labels = [step.label for step in way.steps]
        assert labels[: steps_done(folder, scene, way.steps)] == labels


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_ONE_KEY)
def test_real_phones_follow_the_sound_model_everywhere(name: str, tmp_path: Path) -> None:
    """Real phones can be brought to every state that the model reaches with nothing exposed."""
    for place, steps in enumerate(ways("SMALL", SCENE[name].start(exposed=False))):
        folder = tmp_path / str(place)
        folder.mkdir()
        labels = [step.label for step in steps]
        assert labels[: steps_done(folder, SCENE[name], steps)] == labels


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.scene != NOT_PLAYED],
    ids=lambda mutant: mutant.fault,
)
def test_real_phones_stop_each_attack(mutant: Mutant, tmp_path: Path) -> None:
    """They go along to the last step, as far as nothing is wrong with it, and refuse that one."""
    steps = found(f"mutant: {mutant.about}").steps
    assert len(steps) > 0
    done = steps_done(tmp_path, SCENE[mutant.scene], steps)
    if mutant.fault in REFUSED_EARLIER:
        assert done < len(steps) - 1
    else:
        assert done == len(steps) - 1
