"""A visitor of the operator's console: a browser without pictures, on real sockets."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from deployment import Deployment, deploy, dtns

if TYPE_CHECKING:
    from pathlib import Path


def console_deployment(folder: Path) -> Deployment:
    """Make a deployment whose console listens on a free port."""
    deployment = deploy(folder)
    text = deployment.config.read_text().replace("[console]", "[console]\nenabled = true", 1)
    head, _, tail = text.partition("[console]\nenabled = true")
    tail = tail.replace("enabled = false\n", "", 1).replace(":7280", ":0", 1)
    deployment.config.write_text(f"{head}[console]\nenabled = true{tail}")
    return deployment


def address(deployment: Deployment) -> str:
    """Return where the console of the latest run is."""
    ready = [line for line in deployment.log.splitlines() if '"ready"' in line][-1]
    url: str = json.loads(ready)["console"]
    return url


def token(deployment: Deployment, *options: str) -> str:
    """Make a token."""
    done = dtns("console", "token", "-c", str(deployment.config), "--json", *options)
    assert done.returncode == 0, done.stderr
    made: str = json.loads(done.stdout)["token"]
    return made


def fill(deployment: Deployment, decisions: int) -> None:
    """Put refusals into the log, as if phones had asked for years."""
    with sqlite3.connect(deployment.folder / "dtns.sqlite") as store:
        store.executemany(
            "INSERT INTO decision (asker, asker_generation, counter, ask_mac, holder, week,"
            " decided_at, carrier, reason) VALUES (254712000001, 1, ?, x'00', 254712000002, 1,"
            " ?, 'loopback', 1)",
            ((n, 1e9 + n) for n in range(1000, decisions + 1000)),
        )
    store.close()


@dataclass
class Came:
    """What a request brought."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def form(self) -> str:
        """The token that the page's forms carry."""
        found = re.search(r'name="form" value="([^"]+)"', self.text)
        assert found, self.text
        return found[1]


@dataclass
class Visitor:
    """Somebody's browser; cookie is the one that the console gave."""

    url: str
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Came:
        """Ask for a page."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Came:
        """Send a form; a redirection is not followed."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(fields), kind | headers)

    def log_in(self, given: str) -> Came:
        """Log in, and keep the cookie."""
        return self.post("/login", {"token": given})

    def send(self, path: str, **fields: str) -> Came:
        """Send a form as a page of this session would, and follow where it leads."""
        came = self.post(path, {"form": self.get("/parties").form, **fields})
        return self.get(came.headers["location"]) if came.status == 303 else came

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Came:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in (self.headers | headers).items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        told = {name.lower(): value for name, value in response.getheaders()}
        if "set-cookie" in told:
            self.cookie = told["set-cookie"].partition(";")[0]
        return Came(response.status, told, text)
