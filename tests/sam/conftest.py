"""Fixtures of this room: worlds with one Sam, and phones in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from world import World

from dtns.sam.handset.handset import Handset
from dtns.sam.issuing.policy import Policy


@pytest.fixture
def make_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., World]]:
    """Make worlds, one at a time; each ends when the next is made."""
    worlds: list[World] = []

    def make(policy: Policy | None = None, seed: int = 1978) -> World:
        close()
        worlds.append(World(tmp_path_factory.mktemp("world"), policy, seed))
        return worlds[-1]

    def close() -> None:
        while worlds:
            worlds.pop().store.close()

    yield make
    close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world with Sam's usual policy."""
    return make_world()


@pytest.fixture
def alice(world: World) -> Handset:
    """A phone that asks."""
    return world.phone()


@pytest.fixture
def bob(world: World) -> Handset:
    """A phone that holds."""
    return world.phone()


@pytest.fixture
def carol(world: World) -> Handset:
    """A third phone: a bystander, or someone up to no good."""
    return world.phone()
