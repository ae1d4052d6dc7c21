"""What the operator's commands share: options, and output as JSON, CSV or a table."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from dtns.sam.cells import safe_cell
from dtns.sam.cli.exits import Exit
from dtns.sam.configuration import Config, load_config
from dtns.sam.service.reach import Administrable
from dtns.sam.service.requests import Refusal, Request

_R = TypeVar("_R")

DEFAULT_CONFIG: Final = Path("dtns-data") / "dtns.toml"


def _load(_: click.Context, __: click.Parameter, path: Path) -> Config:
    return load_config(path)


CONFIG_OPTION: Final[Callable[..., Any]] = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    callback=_load,
    help="The configuration file.",
)
JSON_OPTION: Final[Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)
CSV_OPTION: Final[Callable[..., Any]] = click.option(
    "--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header."
)


def ask(sam: Administrable, request: Request[_R]) -> _R:
    """Return the result of a request; a refusal is told and ends the command, exit code 1."""
    result = sam.answer(request)
    if not isinstance(result, Refusal):
        return result
    if click.get_current_context().params.get("as_json"):
        show_json({"status": "refused", "reason": result.reason})
    click.echo(f"dtns: {result.reason}", err=True)
    raise click.exceptions.Exit(Exit.REFUSED)


def show_json(facts: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(facts))


def show_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as CSV; what a spreadsheet would run as a formula gets a quote before it."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table: drawn on a terminal, tab-separated elsewhere."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (list(columns), *texts):
            click.echo("\t".join(line))
        return
    from rich.console import Console  # noqa: PLC0415 (slow to import, and rarely wanted)
    from rich.table import Table  # noqa: PLC0415 (the same)

    table = Table(*columns)
    for line in texts:
        table.add_row(*line)
    Console().print(table)


def show_facts(facts: Mapping[str, Any]) -> None:
    """Print facts a line each, those that are None left out."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name:{width}}  {value}")


def iso(posix_time: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC."""
    if posix_time is None:
        return None
    return datetime.fromtimestamp(posix_time, UTC).isoformat(timespec="seconds")


def international(number: str) -> str:
    """Return a canonical number as people write it."""
    return f"+{number}"
