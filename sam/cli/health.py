"""`dtns health`: is the running Sam of use, and if not, why."""

from __future__ import annotations

import click
from attrs import asdict

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, ask, show_facts, show_json
from dtns.sam.configuration import Config
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import GetVitals


@click.command()
@CONFIG_OPTION
@JSON_OPTION
def health(config: Config, *, as_json: bool) -> None:
    """Tell whether Sam runs and is of use: exit code 0, or 1 and what is wrong."""
    with reach(config) as sam:
        vitals = ask(sam, GetVitals())
    facts = {
        "waiting": vitals.waiting,
        "oldest_seconds": None if vitals.oldest is None else round(vitals.oldest, 1),
        "up_seconds": round(vitals.up_for, 1),
        "epoch": vitals.epoch,
        "decisions": vitals.decisions,
    }
    if as_json:
        checks = [asdict(check) for check in vitals.checks]
        show_json({"status": "done" if vitals.ready else "refused", "checks": checks} | facts)
    else:
        show_facts({check.name: _told(check.finding, holds=check.holds) for check in vitals.checks})
        show_facts(facts)
    if not vitals.ready:
        raise click.exceptions.Exit(Exit.REFUSED)


def _told(finding: str, *, holds: bool) -> str:
    return finding if holds else click.style(f"NOT READY: {finding}", fg="red")
