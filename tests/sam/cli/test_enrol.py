"""`dtns enrol`: numbers, CSV files, and running it again."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, deploy, dtns, told

from dtns.sam.handset.simfile import read_sim_file

A, B = "+254712000001", "+254712000002"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Return a fresh deployment."""
    return deploy(tmp_path / "d")


def enrol(deployment: Deployment, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run `dtns enrol` and return its exit code and facts."""
    done = dtns("enrol", "-c", str(deployment.config), "--json", *arguments)
    return done.returncode, told(done)


def test_a_number_gets_a_sim_file(deployment: Deployment) -> None:
    """The file is private, named by the number without the plus, and fits the deployment."""
    code, facts = enrol(deployment, "+254 712 000-001", A)
    assert code == 0
    path = deployment.folder / "sims" / "254712000001.sim"
    assert facts == {
        "status": "done",
        "enrolled": [{"number": A, "sim_file": str(path)}],
        "refused": [],
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    sim = read_sim_file(path)
    assert (sim.number, sim.generation, sim.epoch, sim.service_number) == (A[1:], 1, 1, "7267")
    assert sim.network == f"unix:{deployment.folder}/network.sock"


def test_a_number_is_enrolled_once(deployment: Deployment) -> None:
    """Again is refused with the way out; the others of the command are enrolled."""
    enrol(deployment, A)
    before = (deployment.folder / "sims" / "254712000001.sim").read_bytes()
    code, facts = enrol(deployment, A, B)
    assert code == 1
    assert facts["status"] == "refused"
    assert [each["number"] for each in facts["enrolled"]] == [B]
    assert "dtns party rekey" in facts["refused"][0]["reason"]
    assert (deployment.folder / "sims" / "254712000001.sim").read_bytes() == before


def test_a_lost_sim_file_of_an_unused_sim_is_made_again(deployment: Deployment) -> None:
    """After a crash between Sam's commit and the file, the command can simply be run again."""
    enrol(deployment, A)
    path = deployment.folder / "sims" / "254712000001.sim"
    before = path.read_bytes()
    path.unlink()
    code, _ = enrol(deployment, A)
    assert code == 0
    assert path.read_bytes() == before


def test_a_sim_file_in_the_way_is_never_overwritten(deployment: Deployment) -> None:
    """A file of a party that is not enrolled here stops the enrolment of that number."""
    other = deploy(deployment.folder.parent / "other")
    sims = str(deployment.folder / "sims")
    enrol(other, "--out", sims, A)
    before = Path(sims, "254712000001.sim").read_bytes()
    code, facts = enrol(deployment, A)
    assert code == 1
    assert "move it away" in facts["refused"][0]["reason"]
    assert Path(sims, "254712000001.sim").read_bytes() == before
    listed = told(dtns("party", "list", "-c", str(deployment.config), "--json"))
    assert listed == {"parties": []}


@pytest.mark.parametrize(
    "number", ["0712000001", "hello", "+12", "+0712000001", "+2547120000019999"]
)
def test_what_is_no_number_is_a_usage_error(deployment: Deployment, number: str) -> None:
    """Nobody is enrolled by a command with a mistake in it."""
    done = dtns("enrol", "-c", str(deployment.config), A, "--", number)
    assert done.returncode == 2
    assert "+254712345678" in done.stderr
    assert not (deployment.folder / "sims").exists()


def test_numbers_and_a_table_exclude_each_other(deployment: Deployment) -> None:
    """Exactly one of the two is wanted."""
    config = ("-c", str(deployment.config))
    assert dtns("enrol", *config).returncode == 2
    assert dtns("enrol", *config, A, "--csv", str(deployment.config)).returncode == 2
    assert dtns("enrol", *config, "--csv", str(deployment.folder / "none.csv")).returncode == 2


def test_a_table_is_enrolled_and_can_be_resumed(deployment: Deployment) -> None:
    """Good rows are enrolled, bad ones named with line and reason; a second run finds all done."""
    table = deployment.folder / "people.csv"
    rows = "name,number\nAyo,+254712000001\nBad,0712\n\nChi,+254 712 000 002\nAyo,+254712000001\n"
    table.write_text("\ufeff" + rows + "Evil,=cmd()\n", encoding="utf-8")
    code, facts = enrol(deployment, "--csv", str(table))
    rejected = Path(f"{table}.rejected.csv")
    assert code == 1
    assert facts == {
        "status": "refused",
        "enrolled": 2,
        "already": 0,
        "rejected": 2,
        "rejected_file": str(rejected),
    }
    assert stat.S_IMODE(rejected.stat().st_mode) == 0o600
    first, second = csv.DictReader(io.StringIO(rejected.read_text()))
    assert (first["line"], first["number"]) == ("3", "0712")
    assert "international" in first["reason"]
    assert second["number"] == "'=cmd()"
    (deployment.folder / "sims" / "254712000002.sim").unlink()
    code, facts = enrol(deployment, "--csv", str(table))
    assert (facts["enrolled"], facts["already"], facts["rejected"]) == (1, 1, 2)
    table.write_text("number\n+254712000001\n")
    code, facts = enrol(deployment, "--csv", str(table))
    assert (code, facts["already"], facts["rejected_file"]) == (0, 1, None)
    assert not rejected.exists()


@pytest.mark.parametrize(
    "text",
    [
        "+254712000001\n+254712000002\n",
        "number\r\n+254712000001\r\n+254712000002",
        "a;Number;b\n1;+254712000001;2\n1;+254712000002;2\n",
        'number\tx\n"+254712000001"\t1\n+254712000002\t\n',
    ],
)
def test_tables_come_in_many_forms(deployment: Deployment, text: str) -> None:
    """With and without a header; commas, semicolons or tabs; any line ends."""
    table = deployment.folder / "t.csv"
    table.write_bytes(text.encode())
    code, facts = enrol(deployment, "--csv", str(table))
    assert (code, facts["enrolled"], facts["rejected"]) == (0, 2, 0)


def test_a_table_without_numbers_is_a_usage_error(deployment: Deployment) -> None:
    """A header without the column is told, and nothing is done."""
    table = deployment.folder / "t.csv"
    table.write_text("name,phone\nAyo,+254712000001\n")
    done = dtns("enrol", "-c", str(deployment.config), "--csv", str(table))
    assert done.returncode == 2
    assert "no column named `number`" in done.stderr


def test_enrolling_through_a_running_sam_is_the_same(deployment: Deployment) -> None:
    """The admin socket gives the very results that the lock gives."""
    enrol(deployment, A)
    path = deployment.folder / "sims" / "254712000001.sim"
    before = path.read_bytes()
    path.unlink()
    with deployment.sam():
        assert enrol(deployment, A)[0] == 0
        assert path.read_bytes() == before
        assert enrol(deployment, A)[0] == 1
        assert enrol(deployment, B)[0] == 0
        listed = told(dtns("party", "list", "-c", str(deployment.config), "--json"))
    assert [party["number"] for party in listed["parties"]] == [A, B]
    again = told(dtns("party", "list", "-c", str(deployment.config), "--json"))
    assert again == listed
