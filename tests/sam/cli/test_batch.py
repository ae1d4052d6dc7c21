"""`dtns enrol --batch` and `dtns unpack`: many SIM files in one, for the personaliser alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from deployment import Deployment, deploy, dtns, told

from dtns.sam.errors import SimFileError
from dtns.sam.handset.simbatch import SimBatch, read_batch
from dtns.sam.handset.simfile import read_sim_file

COUNT = 1203


def numbers(count: int) -> list[str]:
    """Return so many numbers."""
    return [f"+2547120{index:05}" for index in range(count)]


class Trade:
    """A deployment, the personaliser's keys, and a table of parties."""

    def __init__(self, folder: Path) -> None:
        self.deployment: Deployment = deploy(folder / "d")
        self.key = X25519PrivateKey.generate()
        self.private, self.public = folder / "private.pem", folder / "public.pem"
        secret = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.private.write_bytes(self.key.private_bytes(*secret))
        public = self.key.public_key()
        self.public.write_bytes(
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        self.table, self.batch = folder / "parties.csv", folder / "batch.sims"
        self.table.write_text("\n".join(["number", *numbers(COUNT), "nonsense", ""]))

    def enrol(self, *options: str) -> tuple[int, dict[str, object]]:
        """Enrol the table into the batch."""
        files = ("--csv", str(self.table), "--batch", str(self.batch), "--for", str(self.public))
        done = dtns("enrol", "-c", str(self.deployment.config), "--json", *files, *options)
        return done.returncode, told(done)


@pytest.fixture
def trade(tmp_path: Path) -> Trade:
    """Return a fresh one."""
    return Trade(tmp_path)


def test_every_sim_is_in_the_batch(trade: Trade, tmp_path: Path) -> None:
    """What is unpacked are the SIM files that `dtns enrol` would have written."""
    code, facts = trade.enrol()
    assert (code, facts["enrolled"], facts["rejected"]) == (1, COUNT, 1)
    assert stat.S_IMODE(trade.batch.stat().st_mode) == 0o600
    few = tmp_path / "few.csv"
    few.write_text("\n".join(["number", *numbers(COUNT)[-2:]]))
    trade.table = few
    unpacked = {sim.number: sim for sim in read_batch(trade.batch, trade.key)}
    assert sorted(unpacked) == sorted(number.lstrip("+") for number in numbers(COUNT))
    for path in trade.deployment.enrol(*numbers(3)):
        assert read_sim_file(path) == unpacked[read_sim_file(path).number]


def test_unpacking(trade: Trade, tmp_path: Path) -> None:
    """The personaliser gets a SIM file for each party, and overwrites none."""
    trade.table.write_text("\n".join(["number", *numbers(3)]))
    trade.enrol()
    options = ("--key", str(trade.private), "--out", str(tmp_path / "sims"), "--json")
    assert told(dtns("unpack", str(trade.batch), *options)) == {"status": "done", "sim_files": 3}
    sims = sorted((tmp_path / "sims").iterdir())
    assert [f"+{read_sim_file(sim).number}" for sim in sims] == numbers(3)
    again = dtns("unpack", str(trade.batch), *options)
    assert again.returncode == 4
    assert "a new directory" in again.stderr


def test_unpacking_into_shards(trade: Trade, tmp_path: Path) -> None:
    """With --shards no directory has more than a ten-thousandth of the files, or so."""
    trade.enrol()
    out = tmp_path / "sims"
    options = ("--key", str(trade.private), "--out", str(out), "--shards")
    assert dtns("unpack", str(trade.batch), *options).returncode == 0
    sims = sorted(out.rglob("*.sim"))
    assert len(sims) == COUNT
    assert out / "01" / "02" / "254712000102.sim" in sims
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in out.rglob("*"))


def test_a_damaged_batch_is_not_unpacked(trade: Trade, tmp_path: Path) -> None:
    """Nothing is left of what could not be unpacked whole."""
    trade.enrol()
    trade.batch.write_bytes(trade.batch.read_bytes()[:-1])
    out = tmp_path / "sims"
    done = dtns("unpack", str(trade.batch), "--key", str(trade.private), "--out", str(out))
    assert done.returncode == 4
    assert "cut off" in done.stderr
    assert not list(tmp_path.glob("sims*"))


def test_a_batch_is_not_overwritten_and_its_sims_can_be_had_again(trade: Trade) -> None:
    """A second run refuses the name; under another one it gives the same SIMs."""
    trade.table.write_text("\n".join(["number", *numbers(2)]))
    trade.enrol()
    code, facts = trade.enrol()
    assert code == 4
    assert "never overwritten" in str(facts["message"])
    first, trade.batch = trade.batch, trade.batch.with_name("second.sims")
    trade.enrol()
    assert list(read_batch(first, trade.key)) == list(read_batch(trade.batch, trade.key))


def test_damage_truncation_and_other_keys_are_noticed(trade: Trade) -> None:
    """A bit turned, the last chunk or its beginning gone, another key: refused."""
    trade.enrol()
    octets = trade.batch.read_bytes()
    with pytest.raises(SimFileError, match="another key"):
        list(read_batch(trade.batch, X25519PrivateKey.generate()))
    last = len(octets) - 4 - 32 - 16
    longer = octets[:last] + b"\1" + octets[last + 1 :]
    for damaged in (
        *(octets[:last], octets[:-1], octets[:200], octets[:-1] + b"\0", octets + b"\0", longer),
    ):
        trade.batch.write_bytes(damaged)
        with pytest.raises(SimFileError):
            list(read_batch(trade.batch, trade.key))


KEYS = " ".join("00" * octets for octets in (16, 32, 16, 16, 32))


def _batch_of(path: Path, trade: Trade, *lines: str) -> None:
    """Make a batch with one chunk of these lines, as anybody can who has the public key."""
    with SimBatch.write(path, trade.key.public_key()) as batch:
        batch._add("\n".join(lines).encode(), last=False)


@pytest.mark.parametrize("number", ["../../../evil", "/tmp/evil", "", "0712", "254712000001/x"])
def test_a_number_that_is_none_names_no_file(trade: Trade, tmp_path: Path, number: str) -> None:
    """Whoever sealed a batch cannot have files written outside the new directory."""
    shared = '{"service_number":"1","network":"n","terms":{},"universal":null}'
    path, out = tmp_path / "forged.sims", tmp_path / "deep" / "sims"
    out.parent.mkdir()
    _batch_of(path, trade, shared, f"{number} 1 1 1 {KEYS}")
    done = dtns("unpack", str(path), "--key", str(trade.private), "--out", str(out), "--shards")
    assert done.returncode == 4
    assert "not of a form this version knows" in done.stderr
    assert not list(out.parent.iterdir())
    assert not list(tmp_path.glob("**/*evil*"))


@pytest.mark.parametrize(
    "party",
    [
        f"0 1 1 {KEYS}",
        f"65536 1 1 {KEYS}",
        f"1 0 1 {KEYS}",
        f"1 1 -1 {KEYS}",
        f"1 1 1 {KEYS} {'00' * 16}",
        f"1 1 1 {'00' * 15}{KEYS[32:]}",
        "1 1 1     ",
    ],
)
def test_a_party_that_cannot_be(trade: Trade, tmp_path: Path, party: str) -> None:
    """Numbers out of range, or keys of another length, make no SIM file."""
    shared = '{"service_number":"1","network":"n","terms":{},"universal":null}'
    path = tmp_path / "forged.sims"
    _batch_of(path, trade, shared, f"254712000001 1 1 1 {KEYS}")
    assert len(list(read_batch(path, trade.key))) == 1
    path.unlink()
    _batch_of(path, trade, shared, f"254712000001 {party}")
    with pytest.raises(SimFileError, match="not of a form"):
        list(read_batch(path, trade.key))


@pytest.mark.parametrize(
    "lines",
    [
        ("nonsense",),
        ("[]", "254712000001 1 1 1"),
        ('{"service_number":"1","network":"n","terms":{},"universal":null}', "254712000001 1 1"),
        (
            '{"service_number":"1","network":"n","terms":{},"universal":null}',
            "254712000001 1 1 1 0",
        ),
    ],
)
def test_a_batch_of_another_form(trade: Trade, tmp_path: Path, lines: tuple[str, ...]) -> None:
    """What is sealed right and says nothing that is known is refused."""
    _batch_of(tmp_path / "forged.sims", trade, *lines)
    with pytest.raises(SimFileError, match="not of a form"):
        list(read_batch(tmp_path / "forged.sims", trade.key))


@pytest.mark.parametrize("options", [("--dry-run",), ("--out", "sims")])
def test_options_that_do_not_go_together(trade: Trade, options: tuple[str, ...]) -> None:
    """A batch is no folder, and no trial."""
    files = ("--batch", "b", "--for", str(trade.public), "--csv", str(trade.table))
    done = dtns("enrol", "-c", str(trade.deployment.config), *files, *options)
    assert done.returncode == 2


def test_a_key_of_another_kind(trade: Trade) -> None:
    """What is no public key is named, with how to make one; nobody is enrolled."""
    trade.public.write_text("nonsense")
    code, facts = trade.enrol()
    assert code == 4
    assert "no key in PEM" in str(facts["message"])
    assert not trade.batch.exists()
