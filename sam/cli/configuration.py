"""`dtns config`: check, show and write configurations."""

from __future__ import annotations

import click

from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, show_facts, show_json
from dtns.sam.configuration import Config
from dtns.sam.configuration.example import EXAMPLE
from dtns.sam.store.keyfile import read_key_file


@click.group()
def config() -> None:
    """Check, show and write configurations."""


@config.command()
@CONFIG_OPTION
@JSON_OPTION
def check(config: Config, *, as_json: bool) -> None:
    """Name every fault of a configuration, with its line and what is allowed.

    Looks at the master key file too. Exit code 3 if anything is wrong.
    """
    keys = sorted(read_key_file(config.master_key).keys)
    if as_json:
        show_json({"status": "done", "config": str(config.path), "master_keys": keys})
    else:
        click.echo(f"{config.path} is in order")


@config.command()
@CONFIG_OPTION
@JSON_OPTION
def show(config: Config, *, as_json: bool) -> None:
    """Show every value in force, defaults included. Nothing in it is secret."""
    values = config.effective()
    if as_json:
        show_json({"config": str(config.path), **values})
        return
    for section, keys in values.items():
        click.echo(f"[{section}]")
        show_facts(keys)
        click.echo()


@config.command()
def example() -> None:
    """Print a commented configuration with all defaults."""
    click.echo(EXAMPLE, nl=False)
