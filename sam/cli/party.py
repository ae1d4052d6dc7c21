"""`dtns party`: the registry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from dtns.sam.cli.numbers import NUMBER
from dtns.sam.cli.personalisation import Personaliser
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
from dtns.sam.service.requests import (
    EndLock,
    EndPinLock,
    ListParties,
    PartyRecord,
    Renew,
    SetSuspended,
    ShowParty,
    Told,
    Withdraw,
)

_COLUMNS: Final = ("number", "generation", "enrolled_at", "suspended", "heard")


@click.group()
def party() -> None:
    """List, show, suspend, resume and rekey parties."""


@party.command("list")
@click.argument("pattern", metavar="[GLOB]", default="*")
@CONFIG_OPTION
@JSON_OPTION
@CSV_OPTION
def list_parties(pattern: str, config: Config, *, as_json: bool, as_csv: bool) -> None:
    """List parties whose numbers match GLOB, as in '+25471*'."""
    with reach(config) as sam:
        parties = _parties(sam, pattern.removeprefix("+"))
        if as_json:
            show_json({"parties": list(parties)})
            return
        rows = ([facts[column] for column in _COLUMNS] for facts in parties)
        (show_csv if as_csv else show_table)(_COLUMNS, rows)


@party.command()
@click.argument("number", type=NUMBER)
@CONFIG_OPTION
@JSON_OPTION
def show(number: Number, config: Config, *, as_json: bool) -> None:
    """Show one party: its generation, standing, and what it asked for."""
    with reach(config) as sam:
        details = ask(sam, ShowParty(number))
    facts = _facts(details.party) | {"asks": details.asks, "keys": details.keys}
    (show_json if as_json else show_facts)(facts)


@party.command()
@click.argument("number", type=NUMBER)
@CONFIG_OPTION
@click.option("--withdraw", is_flag=True, help="Have all who hold keys with its SIM forget them.")
@JSON_OPTION
def suspend(number: Number, config: Config, *, withdraw: bool, as_json: bool) -> None:
    """Let a party have no keys, and let no one have keys with it, until it is resumed.

    What --withdraw ended stays so: to come back the party needs a new SIM (`dtns party rekey`).
    """
    if withdraw:
        with reach(config) as sam:
            _show_told(ask(sam, Withdraw(number)), as_json=as_json)
        return
    _set_suspended(number, config, suspended=True, as_json=as_json)


@party.command()
@click.argument("number", type=NUMBER)
@CONFIG_OPTION
@JSON_OPTION
def resume(number: Number, config: Config, *, as_json: bool) -> None:
    """End a suspension."""
    _set_suspended(number, config, suspended=False, as_json=as_json)


@party.command()
@click.argument("number", type=NUMBER)
@click.argument("lock", type=click.IntRange(1, 0xFFFF))
@click.option("--pin", is_flag=True, help="LOCK is that of the PIN.")
@click.option("--forget-pin", is_flag=True, help="The same, and the person sets a new PIN.")
@CONFIG_OPTION
@JSON_OPTION
def unlock(
    number: Number, lock: int, config: Config, *, pin: bool, forget_pin: bool, as_json: bool
) -> None:
    """End LOCK, the number that a phone shows when it takes no more codes, or no more PINs."""
    of_pin = pin or forget_pin
    request = EndPinLock(number, lock, forget_pin) if of_pin else EndLock(number, lock)
    with reach(config) as sam:
        _show_told(ask(sam, request), as_json=as_json)


@party.command()
@click.argument("number", type=NUMBER)
@CONFIG_OPTION
@click.option("--over-the-air", is_flag=True, help="Send new keys to the SIM that it has.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the SIM file goes. [`sims` beside the configuration]",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@JSON_OPTION
def rekey(
    number: Number,
    config: Config,
    out: Path | None,
    *,
    over_the_air: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Give a party a new SIM, a generation higher: its old SIM is dead from then on.

    An old SIM file in the same place is renamed to NUMBER.generation-N.sim, with its state.
    With --over-the-air the SIM stays, gets new keys by SMS, and its tickets stay good.
    """
    if over_the_air:
        with reach(config) as sam:
            _show_told(ask(sam, Renew(number)), as_json=as_json)
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("the old SIM dies by this: confirm it with --yes")
        question = f"{international(number)}: its SIM and all its keys die. Go on?"
        click.confirm(question, abort=True, err=True)
    with reach(config) as sam:
        folder = (out or config.folder / "sims").absolute()
        result = Personaliser(sam, config, folder).rekey(number)
        details = ask(sam, ShowParty(number))
    facts = _facts(details.party) | {"sim_file": str(result.sim_file)}
    (show_json if as_json else show_facts)(facts)


def _show_told(told: Told, *, as_json: bool) -> None:
    if as_json:
        show_json({"status": "done", "parties": told.parties, "at_once": told.at_once})
        return
    when = "at once" if told.at_once else "when they next ask for a key"
    click.echo(f"Parties told, {when}: {told.parties}")


def _set_suspended(number: Number, config: Config, *, suspended: bool, as_json: bool) -> None:
    with reach(config) as sam:
        record = ask(sam, SetSuspended(number, suspended))
    if as_json:
        show_json(_facts(record))
    else:
        click.echo(f"{international(number)} is {'suspended' if suspended else 'not suspended'}")


def _parties(sam: Administrable, pattern: str) -> Iterator[dict[str, Any]]:
    after, more = None, True
    while more:
        page = ask(sam, ListParties(pattern, after))
        yield from map(_facts, page.parties)
        more = page.more
        after = page.parties[-1].number if page.parties else None


def _facts(record: PartyRecord) -> dict[str, Any]:
    return {
        "number": international(record.number),
        "generation": record.generation,
        "epoch": record.epoch,
        "master_key": record.master_id,
        "enrolled_at": iso(record.enrolled_at),
        "suspended": record.suspended,
        "heard": record.heard,
        "asks_today": record.asks_today,
        "repeats_today": record.repeats_today,
    }
