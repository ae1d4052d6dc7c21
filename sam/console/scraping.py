"""`[metrics]`: what monitoring asks for, on a socket of its own, without login."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict
from klein import Klein
from twisted.web.http import SERVICE_UNAVAILABLE
from twisted.web.resource import IResource

from dtns.gateway.loopback.address import parse_address
from dtns.sam.console.site import GuardedSite, WebServer
from dtns.sam.errors import SamError
from dtns.sam.service.beside import RunningSam
from dtns.sam.service.metrics import Metrics
from dtns.sam.service.requests import Check, GetVitals, Refusal

_PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class Scraping:
    """Serves `/metrics`, `/healthz` (the process turns) and `/readyz` (Sam is of use)."""

    async def start(self, sam: RunningSam) -> Mapping[str, Any]:
        """Listen; GatewayError where that cannot be."""
        site = GuardedSite(scraping_resource(sam), sam.reactor, hosts=None)
        self._server = WebServer(site, parse_address(sam.config.metrics_endpoint), sam.reactor)
        return {"metrics": str(await self._server.start())}

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()


def scraping_resource(sam: RunningSam) -> IResource:
    """Return the three addresses as a resource."""
    app, metrics = Klein(), Metrics(sam)

    @app.route("/metrics", methods=["GET"])
    def figures(request: Any) -> bytes:
        request.setHeader("Content-Type", _PLAIN)
        return metrics.text()

    @app.route("/healthz", methods=["GET"])
    def alive(request: Any) -> str:
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        return "alive\n"

    @app.route("/readyz", methods=["GET"])
    def ready(request: Any) -> str:
        checks = _checks(sam)
        holds = all(check.holds for check in checks)
        if not holds:
            request.setResponseCode(SERVICE_UNAVAILABLE)
        request.setHeader("Content-Type", "application/json")
        return json.dumps({"ready": holds, "checks": [asdict(check) for check in checks]}) + "\n"

    return app.resource()


def _checks(sam: RunningSam) -> tuple[Check, ...]:
    try:
        vitals = sam.administration.answer(GetVitals())
    except SamError as fault:
        return (Check("store", holds=False, finding=str(fault)),)
    assert not isinstance(vitals, Refusal)
    return vitals.checks
