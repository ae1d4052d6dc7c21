"""Style sheets and scripts: a fixed set of files, read once and known by their names."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from attrs import frozen
from twisted.web.http import NOT_FOUND
from twisted.web.resource import Resource

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PACKAGE: Final = "dtns.sam.console.static"
_YEAR: Final = "public, max-age=31536000, immutable"


@frozen
class Asset:
    """A file to serve; its address changes with its octets, so browsers may keep it."""

    octets: bytes
    content_type: str
    url: str


@cache
def assets() -> dict[str, Asset]:
    """Return all assets by their file names."""
    found = {}
    for file in files(_PACKAGE).iterdir():
        suffix = file.name[file.name.rfind(".") :]
        if suffix in TYPES:
            octets = file.read_bytes()
            digest = hashlib.sha256(octets).hexdigest()[:12]
            found[file.name] = Asset(octets, TYPES[suffix], f"/static/{file.name}?v={digest}")
    return found


class Assets(Resource):
    """Serves the assets under their names and nothing else."""

    isLeaf = True  # noqa: N815 (Twisted's name)

    def render_GET(self, request: Any) -> bytes:  # noqa: N802 (Twisted's name)
        """Serve one of them."""
        names = [name.decode("utf-8", "replace") for name in request.postpath or ()]
        asset = assets().get("/".join(names))
        if asset is None:
            request.setResponseCode(NOT_FOUND)
            request.setHeader("Content-Type", "text/plain; charset=utf-8")
            return b"There is no such file.\n"
        request.setHeader("Content-Type", asset.content_type)
        if asset.url.endswith(request.uri.decode("ascii", "replace")):
            request.setHeader("Cache-Control", _YEAR)
        return asset.octets
