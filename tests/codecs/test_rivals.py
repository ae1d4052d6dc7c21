"""The rivals that the bench measures are what they are called."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from stdnum import damm as stdnum_damm
from stdnum.iso7064 import mod_97_10

BENCH = Path(__file__).parents[1] / "bench"


def load(name: str) -> ModuleType:
    """Import a module of the bench by its path."""
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


rivals = load("digits_rivals")
channel = load("digits_channel")


@pytest.mark.parametrize("rival", rivals.RIVALS, ids=lambda rival: rival.name)
def test_every_rival_reads_what_it_shows(rival: rivals.Rival) -> None:
    """Any key comes back and no box is called faulty."""
    for key in (0, 1, 2**128 - 1, 0x0123456789ABCDEF0123456789ABCDEF):
        boxes = rival.show(key)
        assert rival.read(boxes) == key
        assert rival.faulty(boxes) == []


def test_check_digits_are_those_of_the_standards() -> None:
    """Damm and ISO 7064 mod 97-10 as python-stdnum computes them."""
    named = {rival.name: rival for rival in rivals.RIVALS}
    for key in (0, 5, 2**100, 2**128 - 1):
        assert all(stdnum_damm.is_valid(box) for box in named["Damm per group"].show(key))
        assert mod_97_10.is_valid("".join(named["mod 97-10"].show(key)))


def test_bitlocker_groups_are_multiples_of_eleven() -> None:
    """Eight groups of six digits, each 16 bits times 11."""
    boxes = next(rival for rival in rivals.RIVALS if rival.name == "BitLocker").show(2**128 - 1)
    assert boxes == ["720885"] * 8


def test_the_mix_of_slips_adds_up() -> None:
    """A hundred in a hundred, and every slip changes the entry."""
    assert sum(mix.percent for mix in channel.MIX) == 100
    random = Random(4)
    boxes = ["1123", "4556", "7089", "2210"]
    for stream in (True, False):
        assert all(channel.spoil(boxes, 1, random, stream=stream) != boxes for _ in range(2000))
    assert channel.spoil(boxes, 0, random) == boxes
