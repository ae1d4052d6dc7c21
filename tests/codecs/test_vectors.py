"""Every line of the digit vectors, which a second implementation wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtns.codecs.digits import PROFILES, decode, encode, show

VECTORS = Path(__file__).parents[1] / "vectors" / "digits.jsonl"
LINES = [json.loads(line) for line in VECTORS.read_text().splitlines()]


@pytest.mark.parametrize("why", sorted({line["why"] for line in LINES}))
def test_every_vector_reads_as_it_says(why: str) -> None:
    """Status, payload and repaired groups are those of the vector."""
    for line in LINES:
        if line["why"] == why:
            agree(line)


def agree(line: dict[str, Any]) -> None:
    """Compare one vector with what the decoder makes of it."""
    expected, check = line["payload"], line.get("check")
    payload = None if expected is None else int(expected, 16)
    reading = decode(
        PROFILES[line["profile"]],
        line["entry"],
        check=None if check is None else int(check, 16).__eq__,
        parity=line.get("parity"),
        flat=line.get("flat", False),
    )
    assert reading.status.value == line["status"], line
    assert reading.payload == payload, line
    if "groups_repaired" in line:
        assert list(reading.changed) == line["groups_repaired"], line
    if "groups_doubtful" in line:
        assert list(reading.doubtful) == line["groups_doubtful"], line


def test_clean_vectors_are_what_we_encode() -> None:
    """Both implementations show the same digits for a payload."""
    clean = [line for line in LINES if line["why"] == "clean"]
    assert len(clean) == 4 * (4 + 3 + 3 + 3 + 4 + 1 + 1 + 1 + 1)
    for line in clean:
        groups = encode(PROFILES[line["profile"]], int(line["payload"], 16), parity=line["parity"])
        assert show(groups) == line["entry"]
