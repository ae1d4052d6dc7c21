"""The master key file: private, checked, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtns.sam.errors import KeyFileError
from dtns.sam.protocol.keys import Enrolment, MasterKey
from dtns.sam.protocol.numbers import Number
from dtns.sam.store.keyfile import create_key_file, read_key_file

OCTETS = bytes(range(100, 132))
ENROLMENT = Enrolment(Number("254700000001"), 1, 1, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file with master key 1."""
    place = tmp_path / "master.key"
    create_key_file(place, OCTETS)
    return place


def line_of(tmp_path: Path, octets: bytes) -> list[str]:
    """Return the fields of a key file's line."""
    place = tmp_path / "other.key"
    place.unlink(missing_ok=True)
    create_key_file(place, octets)
    return place.read_text().splitlines()[-1].split()


def test_the_key_comes_back(path: Path) -> None:
    """What was written derives the same keys, and the file is for its owner alone."""
    keys = read_key_file(path)
    assert keys.current.master_id == 1
    assert keys.current.ask_key(ENROLMENT.octets) == MasterKey(1, OCTETS).ask_key(ENROLMENT.octets)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    """Creating where one stands is refused."""
    before = path.read_text()
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_key_file(path, bytes(32))
    assert path.read_text() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_a_file_that_others_may_touch_is_refused(path: Path, mode: int) -> None:
    """Any permission for group or others is refused, with the remedy."""
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_file(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The message says what makes one; a folder is no key file either."""
    with pytest.raises(KeyFileError, match="dtns init"):
        read_key_file(tmp_path / "none")
    with pytest.raises(KeyFileError, match="cannot read"):
        read_key_file(tmp_path)


@given(place=st.integers(0, 63), digit=st.sampled_from("0123456789abcdef"))
def test_any_damage_to_the_key_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, digit: str
) -> None:
    """One wrong digit is found by the check, and no message shows the key."""
    folder = tmp_path_factory.mktemp("keys")
    master_id, key, check = line_of(folder, OCTETS)
    if key[place] == digit:
        return
    damaged = key[:place] + digit + key[place + 1 :]
    path = folder / "master.key"
    path.touch(0o600)
    path.write_text(f"{master_id} {damaged} {check}\n")
    with pytest.raises(KeyFileError, match="line 1 is damaged") as caught:
        read_key_file(path)
    assert damaged not in str(caught.value)
    assert key not in str(caught.value)


def test_a_check_belongs_to_its_id(path: Path, tmp_path: Path) -> None:
    """A key under another id is not the same key."""
    _, key, check = line_of(tmp_path, OCTETS)
    path.write_text(f"2 {key} {check}\n")
    with pytest.raises(KeyFileError, match="damaged"):
        read_key_file(path)


@pytest.mark.parametrize(
    "line",
    ["1", "1 abc", "x {key} {check}", "1 {key}", "0 {key} {check}", "256 {key} {check}",
     "1 {short} {check}", "1 zz{short} {check}", "1 {key} {check} more", "\x00\xff"],
)  # fmt: skip
def test_a_line_of_another_form_is_told(path: Path, tmp_path: Path, line: str) -> None:
    """The message gives the form, and shows nothing of the line."""
    _, key, check = line_of(tmp_path, OCTETS)
    path.write_text(line.format(key=key, check=check, short=key[:-2]))
    with pytest.raises(KeyFileError) as caught:
        read_key_file(path)
    assert key[:-2] not in str(caught.value)


def test_several_keys(path: Path, tmp_path: Path) -> None:
    """The highest id is the current one; the others stay in use; comments are skipped."""
    import hashlib  # noqa: PLC0415 (the check, made by hand once)

    check = hashlib.sha256(b"dtns master key 9 " + bytes(32)).hexdigest()[:8]
    path.write_text(
        f"9 {bytes(32).hex()} {check}\n# older\n\n{' '.join(line_of(tmp_path, OCTETS))}"
    )
    keys = read_key_file(path)
    assert sorted(keys.keys) == [1, 9]
    assert keys.current.master_id == 9


@pytest.mark.parametrize("times", [0, 2])
def test_no_key_and_the_same_id_twice_are_refused(path: Path, times: int) -> None:
    """A file needs a key, and each id once."""
    line = path.read_text().splitlines()[-1]
    path.write_text("# nothing\n" + f"{line}\n" * times)
    with pytest.raises(KeyFileError, match="at least one master key, and each id once"):
        read_key_file(path)


def test_the_wrong_key_file_is_found_out(path: Path) -> None:
    """A store's parties need the very key under which they were enrolled."""
    keys = read_key_file(path)
    keys.insist_on(keys.checks, path)
    with pytest.raises(KeyFileError, match="lacks master key 2"):
        keys.insist_on({**keys.checks, 2: "00000000"}, path)
    with pytest.raises(KeyFileError, match="is not the one"):
        keys.insist_on({1: "00000000"}, path)


def test_nothing_shows_in_a_repr(path: Path) -> None:
    """Keys stay out of logs."""
    assert OCTETS.hex() not in repr(read_key_file(path))
