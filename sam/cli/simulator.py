"""`dtns simulator`: the stage behind the two-phone page, a process that takes orders by lines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import click

from dtns.sam.cli.deployment import create_deployment
from dtns.sam.cli.personalisation import Personaliser
from dtns.sam.configuration.example import EXAMPLE
from dtns.sam.protocol.numbers import parse_number
from dtns.sam.service.reach import reach

CAST: Final = {
    "alice": "+254700000001",
    "bob": "+254700000002",
    "mallory": "+254700000003",
}


@click.command(hidden=True)
def simulator() -> None:
    """Run a Sam, a network and phones of their own until standard input ends.

    Orders come as JSON lines on standard input, what happens goes to standard output. Everything
    is made anew in a temporary folder, which is gone afterwards.
    """
    from dtns.sam.simulator.running import run_stage  # noqa: PLC0415 (installs the reactor)

    text = EXAMPLE.replace("embedded = true", "embedded = false")
    with tempfile.TemporaryDirectory(prefix="dtns-phones-") as folder:
        config = create_deployment(Path(folder) / "dtns", configuration=text)
        with reach(config) as sam:
            personaliser = Personaliser(sam, config, config.folder / "sims")
            numbers = [parse_number(number) for number in CAST.values()]
            sims = [result.sim_file for result in personaliser.enrol(numbers)]
        run_stage(config, dict(zip(CAST, sims, strict=True)))
