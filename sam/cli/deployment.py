"""`dtns init`: a new deployment in a directory of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from dtns.sam.cli.show import DEFAULT_CONFIG, JSON_OPTION, show_json
from dtns.sam.configuration import Config, load_config
from dtns.sam.configuration.example import EXAMPLE
from dtns.sam.configuration.sections import SamSection, objections_to_sockets
from dtns.sam.errors import ConfigError
from dtns.sam.protocol.keys import MASTER_OCTETS
from dtns.sam.store.database import sync_folder
from dtns.sam.store.keyfile import create_key_file, read_key_file
from dtns.sam.store.recovery import begin_journal
from dtns.sam.store.store import Store

_SCRATCH: Final = "dtns.toml.new"


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the journal goes. [`DIR.journal`, beside DIR]",
)
@JSON_OPTION
def init(folder: Path | None, journal: Path | None, *, as_json: bool) -> None:
    """Make DIR (./dtns-data) with a configuration, a master key and an empty store.

    DIR must be new or empty: nothing is ever overwritten. The journal, without which an old copy
    of the store would go unnoticed, stands apart from it.
    """
    config = create_deployment(
        folder or DEFAULT_CONFIG.parent, configuration=_naming(journal and journal.absolute())
    )
    if as_json:
        paths = {"config": config.path, "store": config.store, "journal": config.journal}
        show_json({"status": "done"} | {name: str(path) for name, path in paths.items()})
        return
    click.echo(f"{config.path} is ready. Keep a copy of {config.master_key} in a safe. Next:")
    click.echo(f"  dtns serve -c {config.path}")


def create_deployment(
    folder: Path,
    random: Callable[[int], bytes] = secrets.token_bytes,
    configuration: str = EXAMPLE,
) -> Config:
    """Make a deployment in *folder*; its configuration file appears last, when all is there.

    random gives the octets of the master key, configuration is the text of dtns.toml.

    Raises ConfigError if the directory is not empty, cannot be made, or its path is too long.
    """
    folder = folder.absolute()
    config = _planned(folder / DEFAULT_CONFIG.name, configuration)
    if objections := objections_to_sockets(config):
        raise ConfigError("\n".join(objections.values()))
    _make_empty(folder)
    scratch = folder / _SCRATCH
    made = [scratch, config.path, config.store, config.master_key]
    try:
        create_key_file(config.master_key, random(MASTER_OCTETS))
        Store.create(config.store, time.time())
        _begin_journal(config)
        made.append(config.journal)
        _write(scratch, configuration)
        scratch.rename(config.path)
        sync_folder(folder)
    except BaseException as fault:
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if isinstance(fault, OSError):
            raise ConfigError(f"cannot write to {folder}: {fault.strerror}") from fault
        raise
    return load_config(config.path)


def _planned(path: Path, configuration: str) -> Config:
    """Return the configuration that is to stand at *path*, as far as it says where things go."""
    journal = tomllib.loads(configuration).get("sam", {}).get("journal")
    return Config(path, SamSection(journal=None if journal is None else Path(journal)))


def _naming(journal: Path | None) -> str:
    """Return the example with the journal's path in it."""
    if journal is None:
        return EXAMPLE
    line = f"journal = {json.dumps(str(journal), ensure_ascii=False)}"
    return re.sub("^# journal = .*$", lambda _: line, EXAMPLE, flags=re.MULTILINE)


def _begin_journal(config: Config) -> None:
    with Store.open(config.store) as store:
        begin_journal(store, config.journal, read_key_file(config.master_key), time.time)


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = sorted(path.name for path in folder.iterdir())
    except OSError as fault:
        raise ConfigError(f"cannot make the directory {folder}: {fault.strerror}") from fault
    if found:
        raise ConfigError(
            f"{folder} is not empty, it holds {found[0]}: `dtns init` overwrites nothing, "
            "choose another directory"
        )


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
