"""Visits in Debian's Chromium, and the pages that tests open in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

SCENES = Path(__file__).resolve().parents[1] / "console" / "browser"
SECONDS = 150


def _missing() -> str:
    if which("chromium") is None or which("node") is None:
        return "apt-get install chromium nodejs npm && npm ci --prefix tests/console/browser"
    if not (SCENES / "node_modules" / "playwright-core").exists():
        return "npm ci --prefix tests/console/browser"
    return ""


needs_browser = pytest.mark.skipif(bool(_missing()), reason=_missing())
"""Skips a test where there is no browser, with the line that installs it."""


def visit(scene: str, address: str, **options: Any) -> dict[str, Any]:
    """Play a scene, a module of tests/console/browser, and return what it told.

    Fails if the scene did, or if the page complained on its console, asked another host for
    anything, or broke a rule of axe-core where the scene looked.
    """
    done = subprocess.run(
        ["node", str(SCENES / scene), address, json.dumps(options)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert "fault" not in told, (told["fault"], told["text"][:3000], told["errors"])
    assert told["errors"] == []
    assert told["foreign"] == []
    assert told["objections"] == []
    return told
