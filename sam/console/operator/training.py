"""The two-phone page among the operator's: a Sam and phones of its own, for whoever logged in."""

from __future__ import annotations

import json
from typing import Any, Final

from klein import Klein

from dtns.sam.console.operator.desk import Desk, LoginWanted, go
from dtns.sam.console.simulator import TwoPhones
from dtns.sam.console.simulator_door import Door
from dtns.sam.console.simulator_stage import StageProcess

PLACE: Final = "/phones/"
IDLE_SECONDS: Final = 600.0
"""How long phones that nobody looks at stay switched on."""


class Training:
    """Nothing on this page touches the deployment: its stage is a process in a temporary folder.

    It is put up when somebody looks, and taken down when nobody has for a while.
    """

    def __init__(self, desk: Desk) -> None:
        reactor = desk.sam.reactor
        self._desk = desk
        self._stage = StageProcess(reactor)
        self._phones = TwoPhones(
            self._stage, Door(reactor.seconds), reactor, home="/", idle_seconds=IDLE_SECONDS
        )

    def add_to(self, app: Klein) -> None:
        """Add the page to the console's."""
        page = self._phones.resource

        @app.route(PLACE, branch=True)
        def phones(request: Any) -> Any:
            try:
                self._desk.session(request)
            except LoginWanted:
                if request.path == PLACE.encode():
                    return go(request, "/login")
                request.setResponseCode(401)
                request.setHeader("Content-Type", "application/json; charset=utf-8")
                return json.dumps({"refused": "Log in first."}).encode()
            return page

    async def stop(self) -> None:
        """Hang up on the viewers and switch the phones off."""
        self._phones.close()
        await self._stage.stop()
