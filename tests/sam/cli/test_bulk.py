"""Bulk work: dry runs that change nothing, imports of asks that are resumed and answered once."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deployment import Deployment, deploy, dtns, told

from dtns.sam.cli import progress
from dtns.sam.cli.spreadsheet import row_progress
from dtns.sam.handset.exchanges import Asked, Wish
from dtns.sam.handset.phone import Phone
from dtns.sam.protocol.numbers import parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B = "+254712000001", "+254712000002"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a fresh deployment."""
    return deploy(tmp_path / "d")


def parties(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the enrolled parties."""
    listed: list[dict[str, Any]] = told(
        dtns("party", "list", "-c", str(deployment.config), "--json")
    )["parties"]
    return listed


def enrol(deployment: Deployment, table: Path, *options: str) -> Any:
    """Run an enrolment of a table."""
    return dtns("enrol", "-c", str(deployment.config), "--csv", str(table), "--json", *options)


def test_a_dry_run_of_an_enrolment_tells_and_changes_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    """The same counts as the enrolment then gives, the same rejected rows, no message."""
    deployment.enrol(A)
    table = tmp_path / "parties.csv"
    table.write_text(f"name,number\na,{A}\nb,{B}\nc,0712\nd,+254712000003\ne,{B}\n")
    planned = enrol(deployment, table, "--dry-run")
    assert planned.returncode == 1
    facts = told(planned)
    assert facts["status"] == "planned"
    assert (facts["to_enrol"], facts["already"], facts["rejected"]) == (2, 1, 1)
    assert (facts["messages"], facts["cost"]) == (0, 0)
    rejected = Path(facts["rejected_file"])
    with rejected.open() as file:
        (row,) = csv.DictReader(file)
    assert (row["line"], row["number"]) == ("4", "0712")
    assert len(parties(deployment)) == 1
    assert len(list((deployment.folder / "sims").iterdir())) == 1
    done = told(enrol(deployment, table))
    assert (done["enrolled"], done["already"], done["rejected"]) == (2, 1, 1)
    again = told(enrol(deployment, table, "--dry-run"))
    assert (again["to_enrol"], again["already"]) == (0, 3)


def test_a_dry_run_wants_a_table(deployment: Deployment) -> None:
    """With numbers as arguments it is a usage error."""
    done = dtns("enrol", "-c", str(deployment.config), "--dry-run", A)
    assert done.returncode == 2
    assert "--csv" in done.stderr


class Asks:
    """A running Sam, and asks that never reached it: their texts are in a file."""

    def __init__(self, deployment: Deployment, table: Path) -> None:
        self.deployment = deployment
        self.table = table
        self.sims = deployment.enrol(A, B)

    def write(self, *texts: str) -> None:
        """Write the file."""
        with self.table.open("w", newline="") as file:
            csv.writer(file).writerows([["came", "text"], *(["x", text] for text in texts)])

    def run(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Import the file and return the exit code and the facts."""
        config = ("-c", str(self.deployment.config))
        done = dtns("issue", "import", str(self.table), *config, "--json", *options)
        return done.returncode, told(done)

    def text(self, sim: Path, holder: str) -> str:
        """Return the text of a new ask of a phone."""
        with Phone(sim).handset() as handset:
            asked = handset.ask(parse_number(holder), Wish(), time.time())
        assert isinstance(asked, Asked)
        return asked.text


@pytest.fixture
def asks(deployment: Deployment, tmp_path: Path) -> Iterator[Asks]:
    """A running Sam and an empty file."""
    made = Asks(deployment, tmp_path / "asks.csv")
    with deployment.sam():
        yield made


def test_asks_from_a_file_are_answered_once(asks: Asks) -> None:
    """A dry run tells messages and cost; the import does that; run again it does nothing."""
    first, second = asks.text(asks.sims[0], B), asks.text(asks.sims[1], "+254712000099")
    asks.write(first, second, first, "", "HELLO", first[:-1] + "A" * (first[-1] != "A") + "B")
    code, planned = asks.run("--dry-run", "--sms-price", "0.015")
    assert (code, planned["status"]) == (1, "planned")
    assert (planned["issued"], planned["refused"], planned["imported"]) == (1, 1, 1)
    assert (planned["messages"], planned["cost"]) == (2, "0.030")
    config = ("-c", str(asks.deployment.config))
    assert told(dtns("issue", "list", *config, "--json"))["issues"] == []
    code, done = asks.run()
    assert (code, done["status"], done["cost"]) == (1, "refused", None)
    assert {**planned, "status": "refused", "cost": None} == done
    with Path(done["rejected_file"]).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["line"] for row in rows] == ["5", "6", "7"]
    assert all("ask" in row["reason"] or "wrong" in row["reason"] for row in rows)
    issues = told(dtns("issue", "list", *config, "--json"))["issues"]
    assert [(issue["carrier"], issue["status"]) for issue in issues] == [
        ("import", "refused"),
        ("import", "issued"),
    ]
    code, again = asks.run()
    assert (again["imported"], again["messages"], again["issued"]) == (3, 0, 0)
    assert dtns("audit", "verify", *config).returncode == 0
    answers = dtns("phone", str(asks.sims[0]), "answers", "--wait", "10", "--json")
    assert json.loads(answers.stdout)["answers"][0]["status"] == "answered"


def test_what_cannot_be_imported_is_told(asks: Asks) -> None:
    """A price that is none; and where no Sam runs nobody could answer."""
    asks.write("X")
    config = ("-c", str(asks.deployment.config))
    for price in ("free", "-1", "nan"):
        done = dtns("issue", "import", str(asks.table), *config, "--sms-price", price)
        assert done.returncode == 2, price
        assert "0.02" in done.stderr


def test_an_import_needs_a_running_sam(deployment: Deployment, tmp_path: Path) -> None:
    """Answers leave by its gateways: refused, and nothing is decided."""
    table = tmp_path / "asks.csv"
    table.write_text("text\nABC\n")
    done = dtns("issue", "import", str(table), "-c", str(deployment.config), "--json")
    assert done.returncode == 1
    assert "dtns serve" in told(done)["reason"]


def test_a_long_table_shows_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal, once a second has gone by, out of all lines of the file."""
    table = tmp_path / "t.csv"
    table.write_text("number\n" * 10)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", -1.0)
    with row_progress(table, "working") as advance:
        for _ in range(5):
            advance(2)
    shown = capsys.readouterr().err
    assert "working" in shown
    assert "100%" in shown
