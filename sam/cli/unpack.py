"""`dtns unpack`: the SIM files of a batch, as who personalises the SIMs takes them out."""

from __future__ import annotations

from pathlib import Path

import click

from dtns.sam.cli.show import JSON_OPTION, show_json
from dtns.sam.errors import SimFileError
from dtns.sam.handset.simfile import write_sim_file


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
    help="Where the SIM files go; none is overwritten.",
)
@JSON_OPTION
def unpack(batch: Path, key: Path, out: Path, *, as_json: bool) -> None:
    """Write the SIM file of each party in BATCH, which `dtns enrol --batch` made."""
    from dtns.sam.handset.simbatch import read_batch, read_private_key  # noqa: PLC0415 (as enrol)

    count = 0
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise SimFileError(f"cannot make {out}: {fault.strerror}") from fault
    for sim in read_batch(batch, read_private_key(key)):
        write_sim_file(out / f"{sim.number}.sim", sim)
        count += 1
    if as_json:
        show_json({"status": "done", "sim_files": count})
    else:
        click.echo(f"{count} SIM files are in {out}")
