"""`dtns enrol`: parties join, each with a SIM file for its personalisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.numbers import NUMBER
from dtns.sam.cli.personalisation import (
    BatchPersonaliser,
    Personaliser,
    Result,
    Standing,
    already_enrolled,
)
from dtns.sam.cli.show import (
    CONFIG_OPTION,
    JSON_OPTION,
    international,
    show_facts,
    show_json,
)
from dtns.sam.cli.spreadsheet import Rejects, Row, batches, read_rows, row_progress
from dtns.sam.configuration import Config
from dtns.sam.errors import NumberError
from dtns.sam.protocol.numbers import Number, parse_number
from dtns.sam.service.reach import Administrable, reach
from dtns.sam.service.requests import MAX_BATCH


@click.command()
@click.argument("numbers", metavar="NUMBER…", nargs=-1, type=NUMBER)
@CONFIG_OPTION
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where SIM files go. [`sims` beside the configuration]",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A CSV file with a column `number`; run it again to resume.",
)
@click.option("--dry-run", is_flag=True, help="With --csv: check every row and enrol nobody.")
@click.option(
    "--batch",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --csv: put all SIM files into this one, sealed for who personalises the SIMs.",
)
@click.option(
    "--for",
    "recipient",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --batch: the personaliser's public key, X25519 in PEM.",
)
@JSON_OPTION
def enrol(
    numbers: tuple[Number, ...],
    config: Config,
    out: Path | None,
    table: Path | None,
    *,
    dry_run: bool,
    batch: Path | None,
    recipient: Path | None,
    as_json: bool,
) -> None:
    """Enrol each NUMBER, as in +254712345678, and write its SIM file.

    Rejected rows of a CSV file go to a file beside it, named FILE.rejected.csv, with the reason.
    Enrolling sends no message: keys reach a SIM by its SIM file.
    """
    if bool(numbers) == (table is not None):
        raise click.UsageError("give either numbers or --csv FILE")
    if dry_run and table is None:
        raise click.UsageError("--dry-run goes with --csv FILE")
    if (batch is None) != (recipient is None):
        raise click.UsageError("--batch FILE and --for PUBLICKEY go together")
    if batch is not None and (table is None or dry_run or out is not None):
        raise click.UsageError("--batch goes with --csv FILE, without --out and --dry-run")
    with reach(config) as sam:
        personaliser = Personaliser(sam, config, (out or config.folder / "sims").absolute())
        if table is not None and batch is not None and recipient is not None:
            refused = _enrol_into(sam, config, table, batch, recipient, as_json=as_json)
        elif table is None:
            refused = _enrol_numbers(personaliser, numbers, as_json=as_json)
        elif dry_run:
            refused = _check_table(personaliser, table, as_json=as_json)
        else:
            refused = _enrol_table(personaliser, table, as_json=as_json)
    if refused:
        raise click.exceptions.Exit(Exit.REFUSED)


def _enrol_into(
    sam: Administrable,
    config: Config,
    table: Path,
    batch: Path,
    recipient: Path,
    *,
    as_json: bool,
) -> bool:
    from dtns.sam.handset.simbatch import SimBatch, read_public_key  # noqa: PLC0415 (rarely wanted)

    with SimBatch.write(batch, read_public_key(recipient)) as sims:
        personaliser = BatchPersonaliser(sam, config, sims, batch)
        return _enrol_table(personaliser, table, as_json=as_json)


def _enrol_numbers(personaliser: Personaliser, numbers: Sequence[Number], *, as_json: bool) -> bool:
    unique = list(dict.fromkeys(numbers))
    results: list[Result] = []
    for start in range(0, len(unique), MAX_BATCH):
        results += personaliser.enrol(unique[start : start + MAX_BATCH])
    enrolled = [result for result in results if result.standing is Standing.ENROLLED]
    refused = [(result.number, _reason(result)) for result in results if result not in enrolled]
    if as_json:
        show_json(
            {
                "status": "refused" if refused else "done",
                "enrolled": [
                    {"number": international(result.number), "sim_file": str(result.sim_file)}
                    for result in enrolled
                ],
                "refused": [
                    {"number": international(number), "reason": reason}
                    for number, reason in refused
                ],
            }
        )
    else:
        for result in enrolled:
            click.echo(f"{international(result.number)} is enrolled: {result.sim_file}")
    for number, reason in refused:
        click.echo(f"dtns: {international(number)} was passed over: {reason}", err=True)
    return bool(refused)


def _reason(result: Result) -> str:
    return result.reason or already_enrolled(result.number)


def _enrol_table(
    personaliser: Personaliser | BatchPersonaliser, table: Path, *, as_json: bool
) -> bool:
    counts: Counter[Standing] = Counter()
    with Rejects(table) as rejects, row_progress(table, "enrolling") as advance:
        for batch in batches(read_rows(table), MAX_BATCH):
            numbers = _parse(batch, rejects)
            for result in personaliser.enrol(list(numbers)):
                counts[result.standing] += 1
                if result.standing is Standing.REFUSED:
                    rejects.add(numbers[result.number], result.reason)
            advance(len(batch))
    if as_json:
        show_json(
            {
                "status": "refused" if rejects.count else "done",
                "enrolled": counts[Standing.ENROLLED],
                "already": counts[Standing.ALREADY],
                "rejected": rejects.count,
                "rejected_file": str(rejects.path) if rejects.count else None,
            }
        )
    else:
        done, already = counts[Standing.ENROLLED], counts[Standing.ALREADY]
        click.echo(f"{done} enrolled, {already} enrolled before, {rejects.count} rejected")
    if rejects.count:
        click.echo(f"dtns: the rejected rows are in {rejects.path}", err=True)
    return bool(rejects.count)


def _check_table(personaliser: Personaliser, table: Path, *, as_json: bool) -> bool:
    """Tell what enrolling a table would do; writes the rejected rows and changes nothing else."""
    counts: Counter[Standing] = Counter()
    with Rejects(table) as rejects, row_progress(table, "checking") as advance:
        for batch in batches(read_rows(table), MAX_BATCH):
            numbers = _parse(batch, rejects)
            for result in personaliser.look(list(numbers)):
                counts[result.standing] += 1
                if result.standing is Standing.REFUSED:
                    rejects.add(numbers[result.number], result.reason)
            advance(len(batch))
    facts = {
        "to_enrol": counts[Standing.ENROLLED],
        "already": counts[Standing.ALREADY],
        "rejected": rejects.count,
        "messages": 0,
        "cost": 0,
    }
    if as_json:
        path = str(rejects.path) if rejects.count else None
        show_json({"status": "planned"} | facts | {"rejected_file": path})
    else:
        show_facts(facts)
    if rejects.count:
        click.echo(f"dtns: the rejected rows are in {rejects.path}", err=True)
    return bool(rejects.count)


def _parse(batch: Sequence[Row], rejects: Rejects) -> dict[Number, Row]:
    """Return the rows of a batch by their numbers, those that are no numbers rejected."""
    numbers: dict[Number, Row] = {}
    for row in batch:
        try:
            numbers.setdefault(parse_number(row.text.strip()), row)
        except NumberError as fault:
            rejects.add(row, str(fault))
    return numbers
