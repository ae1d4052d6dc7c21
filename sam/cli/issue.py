"""`dtns issue`: what Sam decided, for whom, when, and whether the answer arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from dtns.sam.cli.importing import import_asks
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.cli.show import (
    CONFIG_OPTION,
    CSV_OPTION,
    JSON_OPTION,
    ask,
    international,
    iso,
    show_csv,
    show_facts,
    show_json,
    show_table,
)
from dtns.sam.configuration import Config
from dtns.sam.protocol.numbers import Number
from dtns.sam.service.reach import Administrable, reach
from dtns.sam.service.requests import MAX_BATCH, IssueRecord, ListIssues, ShowIssue

MAX_ID: Final = 1 << 62
_COLUMNS: Final = (
    *("id", "decided_at", "asker", "holder", "status", "n", "expires_at", "carrier", "answer"),
)


@click.group()
def issue() -> None:
    """List and show what was issued."""


@issue.command("list")
@click.option("--party", type=NUMBER, help="Only those in which this number has a part.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first."
)
@CONFIG_OPTION
@JSON_OPTION
@CSV_OPTION
def list_issues(
    party: Number | None, limit: int, config: Config, *, as_json: bool, as_csv: bool
) -> None:
    """List Sam's decisions on asks, the newest first."""
    with reach(config) as sam:
        issues = _issues(sam, party, limit)
        if as_json:
            show_json({"issues": list(issues)})
            return
        rows = ([facts[column] for column in _COLUMNS] for facts in issues)
        (show_csv if as_csv else show_table)(_COLUMNS, rows)


@issue.command()
@click.argument("issue_id", metavar="ID", type=click.IntRange(1, MAX_ID))
@CONFIG_OPTION
@JSON_OPTION
def show(issue_id: int, config: Config, *, as_json: bool) -> None:
    """Show one decision and every sending of its answer."""
    with reach(config) as sam:
        record = ask(sam, ShowIssue(issue_id))
    facts, deliveries = _facts(record), _deliveries(record)
    if as_json:
        show_json(facts | {"deliveries": deliveries})
        return
    show_facts(facts)
    if deliveries:
        click.echo()
        show_table(list(deliveries[0]), [list(delivery.values()) for delivery in deliveries])


issue.add_command(import_asks)


def _issues(sam: Administrable, party: Number | None, limit: int) -> Iterator[dict[str, Any]]:
    before = None
    while limit:
        page = ask(sam, ListIssues(party, before, min(limit, MAX_BATCH)))
        yield from map(_facts, page.issues)
        limit = 0 if page.next is None else limit - len(page.issues)
        before = page.next


def _facts(record: IssueRecord) -> dict[str, Any]:
    key = record.key
    return {
        "id": record.id,
        "decided_at": iso(record.decided_at),
        "asker": international(record.asker),
        "asker_generation": record.asker_generation,
        "counter": record.counter,
        "holder": international(record.holder),
        "holder_generation": key and key.holder_generation,
        "status": "issued" if key else "refused",
        "reason": record.reason,
        "epoch": key and key.epoch,
        "n": key and key.n,
        "limit": key and key.limit,
        "direction": key and key.direction,
        "form": key and key.form,
        "expires_at": iso(key.expires_at if key else None),
        "carrier": record.carrier,
        "repeats": record.repeats,
        "answer": record.deliveries[-1].state if record.deliveries else None,
    }


def _deliveries(record: IssueRecord) -> list[dict[str, Any]]:
    return [
        {
            "carrier": delivery.carrier,
            "state": delivery.state,
            "queued_at": iso(delivery.queued_at),
            "attempts": delivery.attempts,
            "settled_at": iso(delivery.settled_at),
            "reason": delivery.reason,
        }
        for delivery in record.deliveries
    ]
