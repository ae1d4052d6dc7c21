"""`dtns unpack`: the SIM files of a batch, as who personalises the SIMs takes them out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import click

from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import JSON_OPTION, show_json
from dtns.sam.errors import SimFileError
from dtns.sam.handset.documents import durable, sync_folder, write_new_file
from dtns.sam.handset.simfile import SimFile, sim_document


@click.command()
@click.argument("batch", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The private key that the batch was sealed for, X25519 in PEM.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the SIM files go: a directory that is not there yet.",
)
@click.option("--shards", is_flag=True, help="A file goes into a directory by its last 4 digits.")
@JSON_OPTION
def unpack(batch: Path, key: Path, out: Path, *, shards: bool, as_json: bool) -> None:
    """Write the SIM file of each party in BATCH, which `dtns enrol --batch` made.

    The directory is there with all of them or, after a fault, not at all.
    """
    from dtns.sam.handset.simbatch import read_batch, read_private_key  # noqa: PLC0415 (as enrol)

    with progress_bar("unpacking") as advance:
        count = _write_all(read_batch(batch, read_private_key(key), advance), out, shards=shards)
    if as_json:
        show_json({"status": "done", "sim_files": count})
    else:
        click.echo(f"{count} SIM files are in {out}")


def _write_all(sims: Iterable[SimFile], out: Path, *, shards: bool) -> int:
    """Write SIM files into a directory that takes its name once all are durable; count them."""
    if out.exists():
        raise SimFileError(f"{out} is there: SIM files go into a new directory")
    scratch, count = out.with_name(out.name + ".new"), 0
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        with durable(scratch) as folder:
            for sim in sims:
                _write(folder, _place(sim, shards=shards), sim_document(sim))
                count += 1
        scratch.rename(out)
        sync_folder(out.parent)
    except OSError as fault:
        raise SimFileError(f"cannot write {fault.filename or out}: {fault.strerror}") from fault
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return count


def _write(folder: int, place: str, document: bytes) -> None:
    """Write a new file at a place in an open folder, and the directories above it."""
    try:
        write_new_file(place, document, folder)
    except FileNotFoundError:
        outer, inner, _ = place.split("/")
        with suppress(FileExistsError):
            os.mkdir(outer, 0o700, dir_fd=folder)
        os.mkdir(f"{outer}/{inner}", 0o700, dir_fd=folder)
        write_new_file(place, document, folder)


def _place(sim: SimFile, *, shards: bool) -> str:
    number = sim.number
    return f"{number[-4:-2]}/{number[-2:]}/{number}.sim" if shards else f"{number}.sim"
