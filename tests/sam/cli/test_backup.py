"""`dtns backup`, `restore` and `audit` on real deployments, with real phones."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from deployment import DTNS, Deployment, deploy, dtns, told

from dtns.codecs.digits import Status
from dtns.sam.handset.confirmations import Code
from dtns.sam.handset.phone import Phone
from dtns.sam.handset.tickets import Shown
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.entries import StandingSet
from dtns.sam.store.journal import Journal
from dtns.sam.store.keyfile import read_key_file

A, B, C = "+254712000001", "+254712000002", "+254712000003"


def run(deployment: Deployment, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a command with --json that must end with *code*."""
    done = dtns(*arguments, "-c", str(deployment.config), "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return told(done)


def ask(sim: Path, holder: str) -> dict[str, Any]:
    """Let a phone ask until it is answered."""
    done = dtns("phone", str(sim), "--json", "ask", holder, "--wait", "20")
    facts = told(done)
    assert facts["status"] == "answered", facts
    return facts


def hand_over(asker: Path, holder: Path) -> str:
    """Carry the ticket and both confirmations between two phones; tell how it ended."""
    with Phone(asker).handset() as a, Phone(holder).handset() as b:
        shown = a.ticket(b.sim.number)
        assert isinstance(shown, Shown)
        if b.enter(a.sim.number, shown.digits).key is None:
            return "not taken"
        challenge = b.challenge(a.sim.number)
        assert isinstance(challenge, Code)
        response = a.respond(b.sim.number, challenge.digits)
        assert isinstance(response, Code)
        verdict = b.check(a.sim.number, response.digits)
        return "confirmed" if verdict.status is Status.ACCEPTED else "wrong"


def keys_of(deployment: Deployment) -> set[tuple[Any, ...]]:
    """Return every key on record: who, whose generations, epoch, n."""
    columns = ("asker", "asker_generation", "holder", "holder_generation", "epoch", "n")
    issues = run(deployment, "issue", "list")["issues"]
    return {tuple(issue[column] for column in columns) for issue in issues if issue["n"]}


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A deployment with two parties, not running."""
    made = deploy(tmp_path / "d")
    made.enrol(A, B)
    return made


def test_the_whole_disaster(deployment: Deployment, tmp_path: Path) -> None:
    """Backup, more keys, loss of the store, restore: tickets held are good, no key comes twice."""
    a, b = (deployment.folder / "sims" / f"{number[1:]}.sim" for number in (A, B))
    with deployment.sam():
        ask(a, B)
        assert hand_over(a, b) == "confirmed"
        facts = run(deployment, "backup", str(tmp_path / "b1"))
        assert (facts["decisions"], facts["parties"], facts["epoch"]) == (1, 2, 1)
        later = [ask(a, B) for _ in range(2)]
        (c,) = deployment.enrol(C)
        ask(c, A)
        run(deployment, "party", "suspend", C)
        before = keys_of(deployment)
        assert run(deployment, "restore", str(tmp_path / "b1"), code=4)["status"] == "error"
    for path in deployment.folder.glob("dtns.sqlite*"):
        path.unlink()
    refused = dtns("serve", "-c", str(deployment.config))
    assert refused.returncode == 4
    assert "`dtns restore` puts a backup there" in refused.stderr
    plan = run(deployment, "restore", str(tmp_path / "b1"), "--dry-run")
    assert plan["status"] == "planned"
    done = run(deployment, "restore", str(tmp_path / "b1"))
    assert done | {"status": ""} == plan | {"status": ""}
    counts = [done[name] for name in ("epoch", "enrolled_from_journal", "suspended_from_journal")]
    assert counts == [2, 1, 1]
    with deployment.sam():
        assert hand_over(a, b) == "confirmed"
        fresh = ask(a, B)
        assert (fresh["epoch"], fresh["n"]) == (2, 1)
        assert [(key["epoch"], key["n"]) for key in later] == [(1, 2), (1, 3)]
        assert hand_over(a, b) == "confirmed"
        assert len(before | keys_of(deployment)) == len(before) + 1
        assert run(deployment, "party", "show", C)["suspended"] is True
        assert run(deployment, "audit", "verify")["first_bad"] is None
    assert run(deployment, "audit", "verify")["decisions"] == 2


@pytest.mark.slow
def test_four_restores_and_new_sims(deployment: Deployment, tmp_path: Path) -> None:
    """Restore after restore, with a new SIM between: every key made is of its own (epoch, n)."""
    a, b = (deployment.folder / "sims" / f"{number[1:]}.sim" for number in (A, B))
    made = []
    with deployment.sam():
        made.append(ask(a, B))
        run(deployment, "backup", str(tmp_path / "b"))
    for turn in range(4):
        assert run(deployment, "restore", str(tmp_path / "b"))["epoch"] == turn + 2
        if turn == 1:
            run(deployment, "party", "rekey", A, "--yes")
        with deployment.sam():
            made += [ask(a, B), ask(a, B)]
            ask(b, A)
            assert hand_over(a, b) == "confirmed"
            assert hand_over(b, a) == "confirmed"
    issued = [(key["generation"], key["epoch"], key["n"]) for key in made]
    assert len(set(issued)) == len(issued)
    assert {key["epoch"] for key in made} == {1, 2, 3, 4, 5}
    assert run(deployment, "party", "show", A)["generation"] == 2
    assert run(deployment, "audit", "verify")["first_bad"] is None


def test_a_store_put_back_by_hand_is_refused(deployment: Deployment) -> None:
    """`cp` is no restore: serve says what is, and --in-place goes on from there."""
    a = deployment.folder / "sims" / f"{A[1:]}.sim"
    store = deployment.folder / "dtns.sqlite"
    with deployment.sam():
        ask(a, B)
    shutil.copy(store, deployment.folder / "copy")
    with deployment.sam():
        ask(a, B)
    shutil.copy(deployment.folder / "copy", store)
    for command in (("serve",), ("party", "list")):
        refused = dtns(*command, "-c", str(deployment.config))
        assert refused.returncode == 4
        assert "older than its journal" in refused.stderr
        assert "dtns restore --in-place" in refused.stderr
    done = run(deployment, "restore", "--in-place")
    assert (done["epoch"], done["decisions"], done["forgotten_decisions"]) == (2, 1, 1)
    with deployment.sam():
        assert ask(a, B)["epoch"] == 2


def test_a_lost_journal(deployment: Deployment, tmp_path: Path) -> None:
    """Sam does not start without it; a new one is made only on demand, and says what it lacks."""
    journal = tmp_path / "d.journal"
    journal.rename(tmp_path / "elsewhere")
    refused = dtns("serve", "-c", str(deployment.config))
    assert refused.returncode == 4
    assert f"the journal {journal} is missing: put it back" in refused.stderr
    assert dtns("restore", "--in-place", "-c", str(deployment.config)).returncode == 4
    done = dtns("restore", "--in-place", "--new-journal", "-c", str(deployment.config))
    assert done.returncode == 0
    assert done.stderr.count("cannot be known: ") == 2
    with deployment.sam():
        pass
    (tmp_path / "elsewhere").rename(journal)
    assert dtns("serve", "-c", str(deployment.config)).returncode == 4


def test_init_and_its_journal(tmp_path: Path) -> None:
    """Beside DIR or where one says; private, never overwriting, and named in the configuration."""
    deploy(tmp_path / "d")
    assert (tmp_path / "d.journal").stat().st_mode & 0o777 == 0o600
    shutil.rmtree(tmp_path / "d")
    again = dtns("init", str(tmp_path / "d"))
    assert again.returncode == 4
    assert "move it away if its deployment is gone" in again.stderr
    assert list((tmp_path / "d").iterdir()) == []
    place = tmp_path / 'o"dd \\ place' / "j"
    place.parent.mkdir()
    facts = told(dtns("init", str(tmp_path / "d"), "--journal", str(place), "--json"))
    assert facts["journal"] == str(place)
    assert place.exists()
    deployment = Deployment(tmp_path / "d")
    assert run(deployment, "config", "show")["sam"]["journal"] == str(place)
    deployment.enrol(A)
    assert place.read_text().count("\n") == 2


@pytest.mark.slow
def test_a_backup_under_load(deployment: Deployment, tmp_path: Path) -> None:
    """While asks come in, a backup is made, verified and counted; none of the asks is lost."""
    a, b = (deployment.folder / "sims" / f"{number[1:]}.sim" for number in (A, B))
    answers: list[dict[str, Any]] = []
    with deployment.sam():
        busy = threading.Thread(target=lambda: answers.extend(ask(a, B) for _ in range(6)))
        busy.start()
        counts = []
        for turn in range(3):
            path = str(tmp_path / f"b{turn}")
            counts.append(run(deployment, "backup", path)["decisions"])
            facts = run(deployment, "backup", path, "--verify")
            assert facts["checked"] == "checksum and origin"
        busy.join()
    assert counts == sorted(counts)
    assert [key["n"] for key in answers] == [1, 2, 3, 4, 5, 6]
    refused = dtns("backup", str(tmp_path / "b0"), "-c", str(deployment.config))
    assert (refused.returncode, "overwrites nothing" in refused.stderr) == (4, True)
    shown = dtns("backup", str(tmp_path / "b9"), "-c", str(deployment.config))
    assert "The master key is not in it" in shown.stdout
    alone = dtns("backup", "--verify", str(tmp_path / "b9"), "-c", str(tmp_path / "no.toml"))
    assert alone.returncode == 0
    assert "checksum alone" in alone.stdout
    assert b.exists()


def test_a_tampered_log_is_named(deployment: Deployment) -> None:
    """Exit code 1, the first bad decision in words and in JSON, while Sam serves and after."""
    a = deployment.folder / "sims" / f"{A[1:]}.sim"
    with deployment.sam():
        for _ in range(3):
            ask(a, B)
        assert run(deployment, "audit", "verify") == {
            "status": "done",
            "decisions": 3,
            "purged": 0,
            "journal_entries": 3,
            "first_bad": None,
        }
        with closing(sqlite3.connect(deployment.folder / "dtns.sqlite")) as store, store:
            store.execute("UPDATE decision SET limit_class = 31 WHERE id = 2")
        bad = {"decision": 2, "reason": "it was edited, moved or replaced"}
        assert run(deployment, "audit", "verify", code=1)["first_bad"] == bad
    done = dtns("audit", "verify", "-c", str(deployment.config))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "dtns: decision 2: it was edited, moved or replaced\n"


def test_purging(deployment: Deployment) -> None:
    """What is old loses its numbers, by command, with Sam running or not; not with 0 days."""
    a = deployment.folder / "sims" / f"{A[1:]}.sim"
    with deployment.sam():
        ask(a, B)
        dtns("phone", str(a), "--json", "ask", C, "--wait", "20")
        assert run(deployment, "audit", "purge", "--dry-run") == {"status": "planned", "purged": 0}
        assert dtns("audit", "purge", "-c", str(deployment.config)).stdout == (
            "Purged: 0 decisions\n"
        )
    text = deployment.config.read_text()
    deployment.config.write_text(text.replace("retention_days = 400", "retention_days = 0"))
    refused = run(deployment, "audit", "purge", code=1)
    assert "retention_days is 0" in refused["reason"]


def test_what_to_restore_must_be_said_once(deployment: Deployment, tmp_path: Path) -> None:
    """Neither or both of FILE and --in-place is a usage error."""
    for wrong in ((), ("x", "--in-place")):
        assert dtns("restore", *wrong, "-c", str(deployment.config)).returncode == 2
    assert dtns("restore", str(tmp_path / "no"), "-c", str(deployment.config)).returncode == 4


def test_sam_journals_its_start_and_stop(deployment: Deployment, tmp_path: Path) -> None:
    """A killed Sam starts again; what it had decided is in the journal once it stops."""
    a = deployment.folder / "sims" / f"{A[1:]}.sim"
    sam = deployment.start()
    ask(a, B)
    sam.send_signal(signal.SIGKILL)
    sam.wait()
    before = (tmp_path / "d.journal").read_text().count("\n")
    with deployment.sam():
        pass
    with deployment.sam():
        ask(a, B)
    lines = (tmp_path / "d.journal").read_text().splitlines()
    assert len(lines) == before + 3
    assert '"count":2,' in lines[-1]


def test_what_a_crash_left_is_done_at_the_start_and_logged(
    deployment: Deployment, tmp_path: Path
) -> None:
    """An entry that the store has not done, and half of another: done, cut off, and told."""
    path = tmp_path / "d.journal"
    journal = Journal.open(path, read_key_file(deployment.folder / "master.key").keys)
    suspended = (StandingSet(Number(A[1:]), suspended=True),)
    journal.append(journal.tip.seq, 0.0, journal.tip.head, suspended)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:50])
    with deployment.sam():
        assert run(deployment, "party", "show", A)["suspended"] is True
    assert '"event": "rolled-forward"' in deployment.log
    assert '"event": "journal-torn"' in deployment.log
    assert path.read_bytes().startswith(whole)


@pytest.fixture
def big(tmp_path: Path) -> Iterator[Deployment]:
    """A running Sam with a store of some 20 MB."""
    made = deploy(tmp_path / "big")
    made.enrol(A, B)
    with closing(sqlite3.connect(made.folder / "dtns.sqlite")) as store, store:
        store.execute("CREATE TABLE filler (x)")
        store.execute("INSERT INTO filler VALUES (zeroblob(20000000))")
    with made.sam():
        yield made


@pytest.mark.slow
def test_a_killed_backup_leaves_sam_alone(big: Deployment, tmp_path: Path) -> None:
    """A backup killed half way has made no file of the name asked for, and Sam serves on."""
    a = big.folder / "sims" / f"{A[1:]}.sim"
    for pause in (0.3, 0.4, 0.5, 0.6):
        backup = subprocess.Popen(
            [*DTNS, "backup", str(tmp_path / "b"), "-c", str(big.config)], stdout=sys.stderr
        )
        time.sleep(pause)
        backup.kill()
        backup.wait()
        if (tmp_path / "b").exists():
            assert run(big, "backup", str(tmp_path / "b"), "--verify")["octets"] > 20_000_000
            (tmp_path / "b").unlink()
        ask(a, B)
    assert run(big, "audit", "verify")["first_bad"] is None
