"""`dtns audit codes`: a list for programs, a table and two sentences for people."""

from __future__ import annotations

import json

import pytest
from deployment import dtns

from dtns.sam.analysis.codes import Usage, audit


def test_a_list_of_objects() -> None:
    """Each code has its bits, its tries, and both probabilities, as computed."""
    done = dtns("audit", "codes", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    assert {"code", "digits", "tag_bits", "tries", "per_sim", "fleet_year"} <= set(rows[0])
    assert [row["code"] for row in rows] == [row.code for row in audit(Usage())]
    assert [row["fleet_year"] for row in rows] == [row.fleet_year for row in audit(Usage())]


def test_a_table() -> None:
    """A line a code, then what all large codes come to together."""
    done = dtns("audit", "codes")
    lines = done.stdout.splitlines()
    assert lines[0].split("\t")[:2] == ["code", "digits"]
    assert lines[1].split("\t")[:4] == ["ticket", "20", "40", "8,192"]
    assert "0.0075 forgeries a year among 1,000,000 SIMs; the bound is 0.01." in lines[-2]
    assert lines[-1].endswith("however many it ends, no more than 0.0093.")


def test_a_fleet_that_is_too_large() -> None:
    """Two million SIMs break the bound: exit code 1, and a line that says so."""
    done = dtns("audit", "codes", "--sims", "2000000", "--json")
    assert done.returncode == 1
    assert done.stderr == "dtns: more than 0.01 forgeries of a large code\n"
    assert len(json.loads(done.stdout)) == len(audit(Usage()))


@pytest.mark.parametrize("option", ["--sims", "--keys", "--logs"])
def test_bad_options(option: str) -> None:
    """A negative number is refused by name."""
    done = dtns("audit", "codes", option, "-1")
    assert done.returncode == 2
    assert option in done.stderr
