"""`dtns gateway`: how messages get in and out, and which ways are used."""

from __future__ import annotations

import time
from typing import Any, Final

import click
from attrs import asdict

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import (
    CONFIG_OPTION,
    CSV_OPTION,
    JSON_OPTION,
    ask,
    iso,
    show_csv,
    show_facts,
    show_json,
    show_table,
)
from dtns.sam.configuration import Config
from dtns.sam.service.reach import reach
from dtns.sam.service.requests import GatewayRecord, ListGateways, MoveGateway

_COLUMNS: Final = (
    *("name", "state", "reason", "signal", "network", "queue", "sent", "received", "failed"),
    "last_received",
)
_POLL_SECONDS: Final = 0.2


@click.group()
def gateway() -> None:
    """Show, suspend, resume and drain gateways."""


@gateway.command()
@CONFIG_OPTION
@JSON_OPTION
@CSV_OPTION
def status(config: Config, *, as_json: bool, as_csv: bool) -> None:
    """Tell of each gateway whether it is up or why not, and what it did since Sam's start."""
    with reach(config) as sam:
        records = ask(sam, ListGateways()).gateways
    facts = [_facts(record) for record in records]
    if as_json:
        show_json({"gateways": facts})
        return
    rows = [[each[column] for column in _COLUMNS] for each in facts]
    (show_csv if as_csv else show_table)(_COLUMNS, rows)


@gateway.command()
@click.argument("name")
@CONFIG_OPTION
@JSON_OPTION
def suspend(name: str, config: Config, *, as_json: bool) -> None:
    """Use a gateway no more, until it is resumed or Sam starts anew."""
    _show(_move(config, name, "suspend"), as_json=as_json)


@gateway.command()
@click.argument("name")
@CONFIG_OPTION
@JSON_OPTION
def resume(name: str, config: Config, *, as_json: bool) -> None:
    """Use a gateway again."""
    _show(_move(config, name, "resume"), as_json=as_json)


@gateway.command()
@click.argument("name")
@click.option("--wait", type=click.FloatRange(0), default=30.0, show_default=True)
@CONFIG_OPTION
@JSON_OPTION
def drain(name: str, wait: float, config: Config, *, as_json: bool) -> None:
    """Give a gateway nothing more to send, and suspend it once it has stored what came in.

    Exit code 5 if that takes longer than --wait seconds; it goes on all the same.
    """
    record = _move(config, name, "drain")
    deadline = time.monotonic() + wait
    while record.state in {"up", "starting"} and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        with reach(config) as sam:
            record = next(each for each in ask(sam, ListGateways()).gateways if each.name == name)
    _show(record, as_json=as_json)
    if record.state in {"up", "starting"}:
        raise click.exceptions.Exit(Exit.CARRIER_TEMPORARY)


def _move(config: Config, name: str, action: str) -> GatewayRecord:
    with reach(config) as sam:
        return ask(sam, MoveGateway(name, action))


def _show(record: GatewayRecord, *, as_json: bool) -> None:
    (show_json if as_json else show_facts)(_facts(record))


def _facts(record: GatewayRecord) -> dict[str, Any]:
    facts = asdict(record)
    for time_of in ("last_received", "last_sent"):
        facts[time_of] = iso(facts[time_of])
    return facts
