"""The vectors as tests read them: lines of a file, and the fields that many lines have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtns.codecs.digits import PROFILES, encode, show
from dtns.sam.protocol.session import Context, Direction, Party, Terms

Line = dict[str, Any]
VECTORS = Path(__file__).parents[1] / "vectors"


def lines_of(name: str) -> list[Line]:
    """Return the lines of a file."""
    return [json.loads(line) for line in (VECTORS / f"{name}.jsonl").open(encoding="ascii")]


def each(name: str, *, valid: bool = True, op: str | None = None) -> pytest.MarkDecorator:
    """Run a test for each line of a file that is (or is not) valid; there must be some."""
    lines = [line for line in lines_of(name) if line.get("valid", True) is valid]
    lines = [line for line in lines if op is None or line["op"] == op]
    assert lines
    return pytest.mark.parametrize("line", lines, ids=[line["note"] for line in lines])


def octets_of(line: Line, *names: str) -> list[bytes]:
    """Return fields that hold octets."""
    return [bytes.fromhex(line[name]) for name in names]


def bits_of(line: Line, name: str) -> int:
    """Return a field that holds the payload of a digit code."""
    return int(line[name], 16)


def nonce_of(line: Line) -> int | None:
    """Return J, if there is one."""
    return None if line["nonce"] is None else bits_of(line, "nonce")


def context_of(line: Line) -> Context:
    """Return the context that a line gives."""
    return Context(
        asker=Party(line["asker"], line["asker_generation"]),
        holder=Party(line["holder"], line["holder_generation"]),
        epoch=line["epoch"],
        n=line["n"],
        terms=Terms(line["limit_class"], Direction(line["direction"]), line["expiry"]),
        nonce=nonce_of(line),
    )


def digits_of(profile: str, payload: int) -> str:
    """Return the digits of a payload, without spaces."""
    return show(encode(PROFILES[profile], payload)).replace(" ", "")
