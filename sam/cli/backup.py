"""`dtns backup`: a copy of the store, while Sam serves or not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import DEFAULT_CONFIG, JSON_OPTION, iso, show_facts, show_json
from dtns.sam.configuration import load_config
from dtns.sam.store.backup import Manifest, make_backup, read_backup
from dtns.sam.store.keyfile import read_key_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The configuration file.",
)
@click.option("--verify", is_flag=True, help="Check FILE, a backup, to its last octet.")
@JSON_OPTION
def backup(file: Path, config_path: Path, *, verify: bool, as_json: bool) -> None:
    """Copy the store to FILE, which must not exist, while Sam serves or not.

    The copy is whole, checksummed and for its owner alone. The master key is NOT in it: keep
    copies of the key file and of the journal too, elsewhere. `dtns restore` puts a backup back.

    --verify without a configuration at hand finds damage, but cannot tell whose backup it is.
    """
    if verify:
        facts = _verify(file, config_path)
    else:
        config = load_config(config_path)
        master = read_key_file(config.master_key).current
        with progress_bar("copying") as advance:
            manifest = make_backup(config.store, file, master, time.time(), advance)
        facts = _facts(file, manifest)
    if as_json:
        show_json({"status": "done"} | facts)
        return
    show_facts(facts)
    if not verify:
        click.echo("The master key is not in it: keep a copy of the key file apart from this one.")


def _verify(file: Path, config_path: Path) -> dict[str, Any]:
    keys = None
    if config_path.exists():
        keys = read_key_file(load_config(config_path).master_key).keys
    with progress_bar("checking") as advance:
        manifest = read_backup(file, keys, progress=advance)
    checked = "checksum alone: no configuration here" if keys is None else "checksum and origin"
    return _facts(file, manifest) | {"checked": checked}


def _facts(file: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "backup": str(file),
        "made_at": iso(manifest.made_at),
        "octets": manifest.octets,
        "sha256": manifest.sha256,
        "instance": manifest.instance,
        "schema_version": manifest.schema_version,
        "epoch": manifest.epoch,
        "journal_entry": manifest.journal_entry,
        "parties": manifest.parties,
        "decisions": manifest.decisions,
    }
