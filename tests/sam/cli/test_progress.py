"""The bar on the terminal: only where there is one, and only for what takes long."""

from __future__ import annotations

import sys

import pytest

from dtns.sam.cli.progress import PATIENCE_SECONDS, progress_bar


@pytest.mark.parametrize(
    ("terminal", "seconds", "drawn"),
    [(True, PATIENCE_SECONDS + 0.1, True), (True, 0.5, False), (False, 60.0, False)],
)
def test_a_bar_for_what_takes_long(
    terminal: bool,  # noqa: FBT001
    seconds: float,
    drawn: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Work of half a second, and any work without a terminal, leaves nothing on it."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    now = [0.0]
    with progress_bar("counting", lambda: now[0]) as advance:
        for done in range(1, 11):
            now[0] = seconds * done / 10
            advance(done, 10)
    assert ("counting" in capsys.readouterr().err) is drawn
