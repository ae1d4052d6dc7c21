"""Fixtures of this room: two phones with money and a ledger that hears of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from books import Books

if TYPE_CHECKING:
    from world import World

    from dtns.sam.handset.handset import Handset

MONEY = 1_000_000


@pytest.fixture
def books(world: World) -> Books:
    """Sam's ledger."""
    return Books(world)


@pytest.fixture
def payer(books: Books, alice: Handset) -> Handset:
    """A phone with money and a PIN."""
    books.load(alice, MONEY)
    return alice


@pytest.fixture
def payee(books: Books, bob: Handset) -> Handset:
    """A phone with money and a PIN, which is paid."""
    books.load(bob, MONEY)
    return bob
