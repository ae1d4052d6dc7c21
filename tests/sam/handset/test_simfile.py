"""The SIM file: who a phone is, readable by its owner alone, never overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import NOTHING, fields

from dtns.sam.errors import SimFileError
from dtns.sam.handset.documents import CONVERTER, write_document
from dtns.sam.handset.simfile import KIND, SimFile, read_sim_file, write_sim_file

if TYPE_CHECKING:
    from pathlib import Path

    from dtns.sam.handset.handset import Handset


def test_a_sim_comes_back(tmp_path: Path, alice: Handset) -> None:
    """A SIM file is read as it was written, its keys among it."""
    write_sim_file(tmp_path / "a.sim", alice.sim)
    assert read_sim_file(tmp_path / "a.sim") == alice.sim


def test_a_sim_file_is_never_overwritten(tmp_path: Path, alice: Handset, bob: Handset) -> None:
    """A second SIM under one name is refused, and the first stands."""
    write_sim_file(tmp_path / "a.sim", alice.sim)
    with pytest.raises(SimFileError, match="never overwritten"):
        write_sim_file(tmp_path / "a.sim", bob.sim)
    assert read_sim_file(tmp_path / "a.sim") == alice.sim


def test_a_missing_sim_file_tells_who_makes_one(tmp_path: Path) -> None:
    """A SIM file that is not there is a message with the command that writes it."""
    with pytest.raises(SimFileError, match="dtns enrol"):
        read_sim_file(tmp_path / "nothing.sim")


def test_a_sim_with_a_field_missing_is_refused(tmp_path: Path, alice: Handset) -> None:
    """Each field without a default is needed, and no other is known; no message shows a key."""
    content = CONVERTER.unstructure(alice.sim)
    needed = [field.name for field in fields(SimFile) if field.default is NOTHING]
    contents = [{k: v for k, v in content.items() if k != field} for field in needed]
    contents += [content | {"pin": "1234"}, content | {"keys": {}}]
    contents += [content | {"keys": content["keys"] | {"ask": "not hexadecimal"}}]
    for number, wrong in enumerate(contents):
        path = tmp_path / f"{number}.sim"
        write_document(path, KIND, wrong)
        with pytest.raises(SimFileError, match="this version") as fault:
            read_sim_file(path)
        assert content["keys"]["answer"] not in str(fault.value)


def test_a_sim_shows_no_key(alice: Handset) -> None:
    """The repr of a SIM has none of its keys in it."""
    shown = repr(alice.sim) + repr(alice.sim.keys)
    for name in ("ask", "answer", "ticket", "seal", "sync"):
        assert getattr(alice.sim.keys, name).hex() not in shown
    assert "\\x" not in shown
