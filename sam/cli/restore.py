"""`dtns restore`: a backup in the store's place, in an epoch of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, iso, show_facts, show_json
from dtns.sam.configuration import Config
from dtns.sam.protocol.keys import MAX_EPOCH
from dtns.sam.store.keyfile import read_key_file
from dtns.sam.store.lock import StoreLock
from dtns.sam.store.restoring import Order, Restoration, Site
from dtns.sam.store.restoring import restore as carry_out


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@CONFIG_OPTION
@click.option("--in-place", is_flag=True, help="Go on with the store that is there.")
@click.option(
    "--new-journal", is_flag=True, help="Make a new journal: the old one is lost or damaged."
)
@click.option(
    "--epoch", type=click.IntRange(1, MAX_EPOCH), default=1, help="The new epoch is this or higher."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@JSON_OPTION
def restore(
    file: Path | None,
    config: Config,
    *,
    in_place: bool,
    new_journal: bool,
    epoch: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the backup FILE in the store's place; Sam must not be running.

    What the journal knows beyond the backup is done again: parties, new SIMs, suspensions. A new
    epoch begins, so that no key is ever made twice; phones go on with the keys and tickets they
    have. The former store is kept beside the new one, under a name with the time.

    With --in-place the present store goes on in a new epoch, which it must once it was put back
    from a copy by other means than this command, or once a phone has proved that it forgot keys.
    """
    if (file is None) != in_place:
        raise click.UsageError("give either a FILE or --in-place")
    order = Order(file, new_journal=new_journal, least_epoch=epoch, dry=dry_run)
    with StoreLock(config.lock), progress_bar("checking") as advance:
        keys = read_key_file(config.master_key)
        site = Site(config.store, config.journal, config.master_key, keys, time.time)
        done = carry_out(site, order, advance)
    facts = _facts(done)
    if as_json:
        status = "planned" if dry_run else "done"
        show_json({"status": status} | facts | {"unknown": list(done.unknown)})
        return
    show_facts(facts)
    for thing in done.unknown:
        click.echo(f"dtns: cannot be known: {thing}", err=True)


def _facts(done: Restoration) -> dict[str, Any]:
    made_at = None if done.manifest is None else done.manifest.made_at
    return {
        "backup_made_at": iso(made_at),
        "epoch": done.epoch,
        "decisions": done.decisions,
        "forgotten_decisions": done.forgotten,
        "enrolled_from_journal": done.done["enrolled"],
        "renewed_from_journal": done.done["renewed"] + done.done["offered"],
        "suspended_from_journal": done.done["suspended"],
        "resumed_from_journal": done.done["resumed"],
        "former_store": done.replaced and str(done.replaced),
        "former_journal": done.replaced_journal and str(done.replaced_journal),
    }
