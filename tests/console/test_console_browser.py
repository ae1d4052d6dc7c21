"""The console in a real browser: an operator's tasks, with JavaScript and without, and pictures."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import needs_browser, visit
from deployment import Deployment, dtns
from visitor import address, console_deployment, token

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B, C = (f"+25471200000{n}" for n in (1, 2, 3))
HEAVIEST = 300_000
ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running Sam with a console and exchanges, the first answered after days."""
    found = console_deployment(tmp_path_factory.mktemp("console") / "d")
    alice, bob, _ = found.enrol(A, B, C)
    with found.sam():
        dtns("phone", str(alice), "ask", B, "--wait", "10")
    with sqlite3.connect(found.folder / "dtns.sqlite") as store:
        store.execute("UPDATE outbox SET settled_at = queued_at + 3.4 * 86400, attempts = 7")
    store.close()
    with found.sam():
        for sim, holder in ((alice, B), (bob, C), (bob, "+254712000099"), (alice, C)) * 2:
            dtns("phone", str(sim), "ask", holder, "--wait", "10")
        yield found


def tour(deployment: Deployment, **options: Any) -> dict[str, Any]:
    """Take the tour of an operator and return what it told."""
    given = token(deployment)
    return visit("console.mjs", f"{address(deployment)}login", token=given, number=B, **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"dark": True}, {"width": 360, "height": 740}, {"javascript": False}],
    ids=["light", "dark", "narrow", "no-script"],
)
def test_an_operators_tasks(
    deployment: Deployment, options: dict[str, Any], tmp_path: Path
) -> None:
    """All of them work; nothing is wider than the screen, complained of, or asked elsewhere."""
    told = tour(deployment, pictures=str(tmp_path), **options)
    facts = told["facts"]
    assert set(facts["widths"].values()) == {options.get("width", 1440)}
    assert "ready" in facts["overview"]
    assert facts["refused"] == 2
    assert "3 d 9 h later" in facts["exchange"]
    assert facts["masked"] == "Party +254…02"
    assert facts["full"] == f"Party {B}"
    assert "The party is suspended." in facts["suspended"]
    assert "The party is resumed." in facts["resumed"]
    assert "The gateway drains" in facts["drained"]
    assert "show the number" in facts["deeds"]
    assert facts["first"] == "Skip to the content"
    assert facts["left"].endswith("/login")
    assert told["heaviest"] < HEAVIEST


def test_the_keyboard_is_enough(deployment: Deployment) -> None:
    """Everything is in reach of Tab and Enter, and where the focus is can be seen."""
    given = token(deployment)
    told = visit("keyboard.mjs", f"{address(deployment)}login", token=given, number=B)
    facts = told["facts"]
    assert facts["skipped"] == "main"
    assert facts["Suspend"] == "The party is suspended."
    assert facts["Resume"] == "The party is resumed."
    assert (facts["landmarks"], facts["headings"]) == (4, 1)
    assert facts["left"].endswith("/login")


def test_the_overview_renews_itself(deployment: Deployment) -> None:
    """What happens while somebody looks is shown, without a click; a gone session is told."""
    given = token(deployment)
    told = visit("renewal.mjs", f"{address(deployment)}login", token=given)
    assert told["facts"]["before"] != told["facts"]["after"]


def test_pictures_for_the_readme(deployment: Deployment, tmp_path: Path) -> None:
    """The pictures in the README are of these pages, and small."""
    tour(deployment, pictures=str(tmp_path), width=1000, height=720, whole=False)
    for name in ("overview", "exchange"):
        assert (tmp_path / f"{name}.png").stat().st_size < 100_000
        assert (ROOT / "sam" / "console" / f"{name}.png").stat().st_size < 100_000
