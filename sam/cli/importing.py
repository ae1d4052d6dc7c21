"""`dtns issue import`: asks from a file, decided on and answered by the running Sam."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import click

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import CONFIG_OPTION, JSON_OPTION, ask, show_facts, show_json
from dtns.sam.cli.spreadsheet import Rejects, Row, batches, read_rows, row_progress
from dtns.sam.configuration import Config
from dtns.sam.issuing.issuer import Silence
from dtns.sam.service.importing import IMPORTED
from dtns.sam.service.reach import Administrable, reach
from dtns.sam.service.requests import ImportAsks

COLUMN: Final = "text"
_BATCH: Final = 100
_LONGEST: Final = 160
_REASONS: Final = {
    Silence.MALFORMED: "no ask: the text of an SMS that a phone made is wanted",
    Silence.NOT_ENROLLED: "its asker is not enrolled",
    Silence.GENERATION: "its asker has another SIM, of another generation, by now",
    Silence.FORGED: "its authentication is wrong",
    Silence.OLD: "it is older than the 64 latest asks of its phone",
    Silence.REPEATS: "it was answered as often as the policy allows",
    Silence.WAITING: "its answer waits to leave already",
    Silence.SHARE: "its asker has used up its share for the day",
}


class Price(click.ParamType[Decimal]):
    """The price of a message."""

    name = "price"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Decimal:
        """Return an exact price."""
        try:
            price = Decimal(value)
        except InvalidOperation:
            self.fail("write a price as in 0.02", param, ctx)
        if not price.is_finite() or price < 0:
            self.fail("write a price as in 0.02", param, ctx)
        return price


@click.command("import")
@click.argument(
    "table", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--dry-run", is_flag=True, help="Decide on every ask, then undo it: only tell.")
@click.option("--sms-price", type=Price(), help="What a message costs, to tell the cost.")
@CONFIG_OPTION
@JSON_OPTION
def import_asks(
    table: Path, config: Config, sms_price: Decimal | None, *, dry_run: bool, as_json: bool
) -> None:
    """Have Sam decide on the asks in FILE, a CSV file with a column `text`, and answer them.

    For asks that reached some other place than Sam: another number, a partner's system, a card
    full of messages. Run it again to resume; no ask is answered twice by it. Rejected rows go to a
    file beside it, named FILE.rejected.csv, with the reason.
    """
    counts: Counter[str] = Counter()
    with (
        reach(config) as sam,
        Rejects(table, COLUMN) as rejects,
        row_progress(table, "checking" if dry_run else "importing") as advance,
    ):
        for batch in batches(read_rows(table, COLUMN), _BATCH):
            counts.update(_import(sam, batch, rejects, dry=dry_run))
            advance(len(batch))
    _tell(counts, rejects, sms_price, dry=dry_run, as_json=as_json)
    if rejects.count:
        click.echo(f"dtns: the rejected rows are in {rejects.path}", err=True)
        raise click.exceptions.Exit(Exit.REFUSED)


def _import(
    sam: Administrable, batch: Sequence[Row], rejects: Rejects, *, dry: bool
) -> Counter[str]:
    """Import one batch and count its outcomes, and the messages that answer it."""
    texts = tuple(row.text.strip()[: _LONGEST + 1] for row in batch)
    imported = ask(sam, ImportAsks(texts, dry))
    for row, outcome in zip(batch, imported.outcomes, strict=True):
        if outcome in _NAMES:
            rejects.add(row, _REASONS[_NAMES[outcome]])
    counts = Counter(imported.outcomes)
    counts["messages"] = imported.messages
    return counts


_NAMES: Final = {kind.value: kind for kind in Silence}


def _tell(
    counts: Counter[str], rejects: Rejects, price: Decimal | None, *, dry: bool, as_json: bool
) -> None:
    facts: dict[str, Any] = {
        name: counts[name] for name in ("issued", "refused", "repeated", IMPORTED)
    }
    facts |= {"rejected": rejects.count, "messages": counts["messages"]}
    facts["cost"] = None if price is None else str(price * counts["messages"])
    if as_json:
        status = "planned" if dry else "refused" if rejects.count else "done"
        path = str(rejects.path) if rejects.count else None
        show_json({"status": status} | facts | {"rejected_file": path})
    else:
        show_facts(facts)
