"""The two phones among the operator's pages: behind the login, and apart from the deployment."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest
from browser import needs_browser, visit
from deployment import Deployment, dtns, told
from visitor import Visitor, address, console_deployment, token

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A running Sam whose console has the two phones; they leave nothing behind."""
    temporary = Path(mkdtemp(prefix="dtns-training-"))  # sockets need a short path
    found = console_deployment(tmp_path / "d")
    found.environment["TMPDIR"] = str(temporary)
    text = found.config.read_text().replace("simulator = false", "simulator = true")
    found.config.write_text(text)
    with found.sam():
        yield found
    temporary.rmdir()


@pytest.mark.timeout(120)
def test_only_who_logged_in_has_the_phones(deployment: Deployment) -> None:
    """The page leads to the login, its parts refuse, and the cookie alone moves nothing."""
    stranger = Visitor(address(deployment).rstrip("/"))
    page = stranger.get("/phones/")
    assert (page.status, page.headers["location"]) == (303, "/login")
    order = json.dumps({"phone": "alice", "press": "1"})
    for path in ("/phones/order", "/phones/open"):
        assert stranger.post(path, {"order": order}).status == 401
    assert stranger.get("/phones/events").status == 401
    operator = Visitor(address(deployment).rstrip("/"))
    operator.log_in(token(deployment))
    assert 'href="/phones/"' in operator.get("/").text
    assert "Back to the console" in operator.get("/phones/").text
    assert operator.get("/phones/events").status == 401
    assert operator.post("/phones/order", {"order": order}).status == 401


@needs_browser
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_operator_plays_and_the_deployment_knows_nothing_of_it(deployment: Deployment) -> None:
    """A key is issued to Alice on the page, and to nobody at the deployment."""
    facts = visit("training.mjs", f"{address(deployment)}login", token=token(deployment))["facts"]
    assert facts["answer"].startswith("Key 1 with Bob is here")
    assert "console" in facts["back"]
    for command in ("party", "issue"):
        listed = told(dtns(command, "list", "-c", str(deployment.config), "--json"))
        assert not any(value for value in listed.values() if isinstance(value, list))
