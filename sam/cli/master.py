"""`dtns master`: the master keys."""

from __future__ import annotations

import click

from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, ask, show_json
from dtns.sam.configuration import Config
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import RotateMaster


@click.group()
def master() -> None:
    """Rotate the master key."""


@master.command()
@CONFIG_OPTION
@JSON_OPTION
def rotate(config: Config, *, as_json: bool) -> None:
    """Make a new master key, and renew parties under it as they come by.

    Keys and tickets already out stay good until they expire, so the old master key stays in its
    file. Keep a copy of the file in a safe.
    """
    with reach(config) as sam:
        rotated = ask(sam, RotateMaster())
    if as_json:
        facts = {"master_key": rotated.master_id, "parties": rotated.parties}
        show_json({"status": "done"} | facts)
        return
    click.echo(f"{config.master_key} holds master key {rotated.master_id} now. Keep a copy of it.")
    click.echo(f"Parties to be renewed as they come by: {rotated.parties}")
