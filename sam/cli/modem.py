"""`dtns modem`: look a GSM modem over before Sam uses it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from dtns.sam.cli.exits import Exit
from dtns.sam.cli.show import JSON_OPTION, show_facts, show_json


@click.group()
def modem() -> None:
    """Look GSM modems over."""


@modem.command()
@click.argument("device")
@click.option("--baud", type=click.IntRange(300), default=115200, show_default=True)
@click.option("--ussd", metavar="CODE", help="Dial a USSD code, such as the one for the credit.")
@JSON_OPTION
def probe(device: str, baud: int, ussd: str | None, *, as_json: bool) -> None:
    """Tell what the modem at DEVICE is and has, what is missing, and what to do about it.

    Enters no PIN and sends no message. Exit code 0 if Sam could use the modem as it is, 1 if
    something is missing, 5 if nothing answers.
    """
    from dtns.gateway.modem.probe import probe as look  # noqa: PLC0415 (imports the driver)
    from dtns.gateway.modem.session import Settings  # noqa: PLC0415 (the same)

    if ussd is not None and not set(ussd) <= set("0123456789*#"):
        raise click.UsageError("a USSD code has digits, * and # only")
    found = look(Settings(device, baud), ussd)
    facts: dict[str, Any] = {"status": "wanting" if found.missing else "ready"} | asdict(found)
    if as_json:
        show_json(facts)
    else:
        _show(facts)
    if found.missing:
        raise click.exceptions.Exit(Exit.REFUSED)


def _show(facts: dict[str, Any]) -> None:
    missing, storage = facts.pop("missing"), facts.pop("storage")
    answer = facts.pop("ussd_answer")
    facts["storage"] = ", ".join(f"{name} {room}" for name, room in storage.items()) or None
    if answer:
        facts["ussd_answer"] = answer["text"] or answer["meaning"]
    show_facts(facts)
    for each in missing:
        click.echo(f"MISSING  {each}")
