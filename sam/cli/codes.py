"""`dtns audit codes`: how much every digit code withstands."""

from __future__ import annotations

import json
from typing import Final

import click
from attrs import asdict

from dtns.sam.analysis.codes import (
    FORGERIES_A_YEAR,
    MOST_ENDED,
    Audited,
    Usage,
    account_fleet_year,
    audit,
)
from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import show_table

_COLUMNS: Final = ("code", "digits", "tag bits", "tries", "per SIM", "fleet a year", "bounded by")
_MANY: Final = 10


@click.command()
@click.option("--sims", type=click.IntRange(1), default=Usage().sims, show_default=True)
@click.option(
    "--keys",
    type=click.IntRange(0),
    default=Usage().keys,
    show_default=True,
    help="New keys that a SIM gets in a year.",
)
@click.option(
    "--logs",
    type=click.IntRange(0),
    default=Usage().logs,
    show_default=True,
    help="How often a year Sam acknowledges a SIM's log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
def codes(sims: int, keys: int, logs: int, *, as_json: bool) -> None:
    """Print for every digit code what an attacker without the key can hope for in a year.

    That is for an attacker who uses up all tries of every SIM. If the fleet may expect more than
    0.01 forgeries a year of the large codes, the exit code is 1.
    """
    rows = audit(Usage(sims, keys, logs))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
    else:
        show_table(_COLUMNS, [_cells(row) for row in rows])
        _tell_account(sims)
    if any(row.large and row.fleet_year > FORGERIES_A_YEAR for row in rows):
        click.echo(f"dtns: more than {FORGERIES_A_YEAR} forgeries of a large code", err=True)
        raise click.exceptions.Exit(Exit.REFUSED)


def _cells(row: Audited) -> tuple[object, ...]:
    figures = (row.digits, f"{row.tag_bits:.3g}", f"{row.tries:,}", f"{row.per_sim:.2g}")
    return (row.code, *figures, _count(row.fleet_year), row.rule)


def _count(expected: float) -> str:
    return f"{expected:,.0f}" if expected >= _MANY else f"{expected:.2g}"


def _tell_account(sims: int) -> None:
    together, most = account_fleet_year(sims), account_fleet_year(sims, MOST_ENDED)
    click.echo(
        f"\nOne account of guesses pays for all large codes of a SIM: all of them together come to "
        f"{together:.4f} forgeries a year among {sims:,} SIMs; the bound is {FORGERIES_A_YEAR}."
    )
    click.echo(
        "Each lock that Sam ends within a year adds less than the one before: however many it ends,"
        f" no more than {most:.4f}."
    )
