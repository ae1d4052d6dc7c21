"""`dtns audit`: the log of decisions, checked and purged."""

from __future__ import annotations

from typing import Any

import click

from dtns.sam.cli.codes import codes
from dtns.sam.cli.exits import Exit
from dtns.sam.cli.progress import progress_bar
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, ask, show_facts, show_json
from dtns.sam.configuration import Config
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import Purge
from dtns.sam.store.audit import AuditChain
from dtns.sam.store.database import read_meta
from dtns.sam.store.journal import Journal
from dtns.sam.store.keyfile import read_key_file
from dtns.sam.store.snapshot import snapshot
from dtns.sam.store.verification import Anchors, Verified, verify_log


@click.group()
def audit() -> None:
    """Check the log of all that was issued, purge what is old in it, and audit the codes."""


audit.add_command(codes)


@audit.command()
@CONFIG_OPTION
@JSON_OPTION
def verify(config: Config, *, as_json: bool) -> None:
    """Check every decision against its seal and the journal, while Sam serves or not.

    Any edit, removal, addition or reordering is found, and the first is named: exit code 1.
    """
    verified = _verify(config)
    facts: dict[str, Any] = {
        "decisions": verified.decisions,
        "purged": verified.purged,
        "journal_entries": verified.entries,
    }
    fault = verified.fault
    if as_json:
        bad = None if fault is None else {"decision": fault.decision, "reason": fault.reason}
        show_json({"status": "done" if fault is None else "refused"} | facts | {"first_bad": bad})
    elif fault is None:
        show_facts(facts)
    if fault is not None:
        click.echo(f"dtns: decision {fault.decision}: {fault.reason}", err=True)
        raise click.exceptions.Exit(Exit.REFUSED)


@audit.command()
@CONFIG_OPTION
@click.option("--dry-run", is_flag=True, help="Only count what would be purged.")
@JSON_OPTION
def purge(config: Config, *, dry_run: bool, as_json: bool) -> None:
    """Take the numbers out of decisions older than retention_days; Sam does so daily itself.

    A decision is kept whole while its key lives. The log can be verified as before.
    """
    purged, after = 0, 0
    with reach(config) as sam:
        while True:
            span = ask(sam, Purge(after, dry_run))
            purged += span.purged
            if span.next is None:
                break
            after = span.next
    if as_json:
        show_json({"status": "planned" if dry_run else "done", "purged": purged})
        return
    click.echo(f"{'To be purged' if dry_run else 'Purged'}: {purged} decisions")


def _verify(config: Config) -> Verified:
    keys = read_key_file(config.master_key)
    journal = Journal.open(config.journal, keys.keys)
    try:
        anchors = Anchors(journal.entries())
    finally:
        journal.close()
    chain = AuditChain(keys.keys, keys.current.master_id)
    with snapshot(config.store) as connection, progress_bar("verifying") as advance:
        length = read_meta(connection).head.count
        return verify_log(connection, chain, anchors, lambda done: advance(done, length))
